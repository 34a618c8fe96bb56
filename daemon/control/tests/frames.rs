//! The codec against whole, split, oversized and foreign bytes.

use std::os::unix::net::UnixStream;

use isthmus_control::client::Client;
use isthmus_control::{
    AskKind, Decoder, FrameError, Hello, MAX_REPLY, MAX_REQUEST, OUTPUT_CHUNK, PROTOCOL_VERSION,
    Reply, Request, Status, encode,
};
use isthmus_grammar::Mode;

fn requests() -> Vec<Request> {
    vec![
        Request::Hello(Hello {
            version: PROTOCOL_VERSION,
            line: "vty0".into(),
            user: Some("ann".into()),
            source: Some([192, 0, 2, 1].into()),
            interactive: true,
        }),
        Request::Exec {
            line: "sh crypto isa sa".into(),
        },
        Request::Answer {
            text: "\u{3}é".into(),
        },
        Request::Screen {
            length: 50,
            width: 132,
        },
        Request::Interrupt,
    ]
}

#[test]
fn messages_survive_any_split() {
    let bytes: Vec<u8> = requests()
        .iter()
        .flat_map(|r| encode(r, MAX_REQUEST).unwrap())
        .collect();
    for step in 1..bytes.len() {
        let mut decoder = Decoder::<Request>::new(MAX_REQUEST);
        let mut seen = Vec::new();
        for part in bytes.chunks(step) {
            decoder.push(part);
            while let Some(message) = decoder.next_message().unwrap() {
                seen.push(message);
            }
        }
        assert_eq!(seen, requests(), "in steps of {step}");
        assert!(decoder.is_empty());
    }
}

#[test]
fn oversized_header_is_refused_before_its_body_comes() {
    let mut decoder = Decoder::<Request>::new(MAX_REQUEST);
    decoder.push(&u32::MAX.to_be_bytes());
    let error = decoder.next_message().unwrap_err();
    assert!(matches!(
        error,
        FrameError::TooLong {
            limit: MAX_REQUEST,
            ..
        }
    ));
}

#[test]
fn foreign_bytes_are_refused() {
    let mut decoder = Decoder::<Request>::new(MAX_REQUEST);
    decoder.push(b"\0\0\0\x02[]");
    assert!(matches!(
        decoder.next_message(),
        Err(FrameError::Message(_))
    ));
}

#[test]
fn too_long_a_line_is_not_sent() {
    let line = "x".repeat(MAX_REQUEST);
    let error = encode(&Request::Exec { line }, MAX_REQUEST).unwrap_err();
    assert!(matches!(error, FrameError::TooLong { .. }));
}

#[test]
fn a_full_output_chunk_of_any_text_fits_a_frame() {
    let text = "\u{1}".repeat(OUTPUT_CHUNK);
    assert!(encode(&Reply::Output { text }, MAX_REPLY).is_ok());
}

#[test]
fn client_sees_end_and_truncation() {
    let (near, far) = UnixStream::pair().unwrap();
    let mut client = Client::over(near);
    let done = Reply::Done {
        status: Status::Ok,
        mode: Mode::Exec,
        prompt: "R1#".into(),
    };
    let ask = Reply::Ask {
        prompt: "?".into(),
        kind: AskKind::Text { delimiter: '#' },
    };
    for reply in [&done, &ask] {
        std::io::Write::write_all(&mut &far, &encode(reply, MAX_REPLY).unwrap()).unwrap();
    }
    assert_eq!(client.receive().unwrap(), Some(done.clone()));
    assert_eq!(client.buffered().unwrap(), Some(ask));
    let frame = encode(&done, MAX_REPLY).unwrap();
    std::io::Write::write_all(&mut &far, &frame[..frame.len() - 1]).unwrap();
    drop(far);
    assert!(matches!(client.receive(), Err(FrameError::Truncated)));
}
