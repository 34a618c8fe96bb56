//! No key stays in the memory of the daemon once nothing needs it: not in what was free, not in what will be used again.
//!
//! The test reads its own memory, in which the whole router runs. It never writes the key down: what it looks for is
//! made of two halves that only meet while they are compared.

mod bed;

use std::fs::File;
use std::os::unix::fs::FileExt;

use bed::Bed;
use isthmusd::router::reconcile::reconcile;
use memchr::memmem;

/// What the octets of a key are masked with, so that looking for it leaves no copy.
const MASK: u8 = 0xA5;

/// A key that only exists masked.
struct Masked(Vec<u8>);

impl Masked {
    fn random() -> Self {
        let mut octets = [0; 24];
        getrandom::fill(&mut octets).unwrap();
        let letters = octets.map(|octet| (b'a' + octet % 26) ^ MASK);
        Self(letters.to_vec())
    }

    /// A line with the key in it; wiped when dropped, as all memory is.
    fn line(&self, before: &str, after: &str) -> String {
        let mut line = String::with_capacity(before.len() + self.0.len() + after.len());
        line.push_str(before);
        line.extend(self.0.iter().map(|octet| char::from(octet ^ MASK)));
        line.push_str(after);
        line
    }

    /// Whether the key stands at the beginning.
    fn begins(&self, memory: &[u8]) -> bool {
        memory.len() >= self.0.len()
            && self
                .0
                .iter()
                .zip(memory)
                .all(|(key, octet)| key ^ MASK == *octet)
    }

    /// How often the key stands in memory that can be written to, and where.
    fn found(&self) -> Vec<String> {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        let mut found = Vec::new();
        let mut page = vec![0; 256 * 1024];
        // Three letters are no key.
        let start_of_key = [0, 1, 2].map(|index| self.0[index] ^ MASK);
        for map in maps.lines().filter(|map| map.contains(" rw")) {
            let (range, rest) = map.split_once(' ').unwrap();
            let (start, end) = range.split_once('-').unwrap();
            let end = u64::from_str_radix(end, 16).unwrap();
            let mut at = u64::from_str_radix(start, 16).unwrap();
            let own = page.as_ptr() as u64..page.as_ptr() as u64 + page.len() as u64;
            while at < end {
                let wanted = page.len().min((end - at) as usize);
                let Ok(count @ 1..) = memory.read_at(&mut page[..wanted], at) else {
                    break;
                };
                for offset in memmem::find_iter(&page[..count], &start_of_key) {
                    let here = at + offset as u64;
                    if self.begins(&page[offset..count]) && !own.contains(&here) {
                        found.push(format!("{here:x} in {rest}"));
                    }
                }
                // A key may lie across the end of what was read.
                at += match wanted == count && at + (count as u64) < end {
                    true => (count - self.0.len()) as u64,
                    false => count as u64,
                };
            }
        }
        page.fill(0);
        found
    }
}

async fn type_all(bed: &Bed, lines: &[String]) {
    let mut console = bed.console().await;
    for line in lines {
        let done = console.run(line).await;
        assert_eq!(done.status, isthmus_control::Status::Ok, "{}", done.text);
    }
    console.run("end").await;
    drop(console);
    settle().await;
}

/// Lets the sessions that have no client any more end.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
}

fn line(text: &str) -> String {
    text.to_owned()
}

/// The scan itself sees a key that is there.
#[test]
fn the_scan_finds_what_is_there() {
    let key = Masked::random();
    assert_eq!(key.found(), [""; 0]);
    let kept = key.line("", "");
    assert_eq!(key.found().len(), 1);
    drop(kept);
    assert_eq!(key.found(), [""; 0]);
}

#[test]
fn a_key_taken_away_is_gone() {
    let key = Masked::random();
    bed::test(async |bed| {
        let set = key.line("crypto isakmp key ", " address 192.0.2.1");
        type_all(&bed, &[line("configure terminal"), set]).await;
        let there = key.found();
        assert!(!there.is_empty(), "the configuration has the key");
        let unset = line("no crypto isakmp key 0 x address 192.0.2.1");
        type_all(&bed, &[line("configure terminal"), unset]).await;
        assert_eq!(key.found(), [""; 0]);
    });
}

/// The key in the engine goes with that in the configuration, whatever encodes it there.
#[test]
fn the_engine_forgets_a_key_that_was_taken_away() {
    let key = Masked::random();
    bed::test(async |bed| {
        bed.fake.add_link("wan0");
        let text = key.line(
            "crypto isakmp policy 10\n encryption aes\n authentication pre-share\n group 14\ncrypto isakmp key ",
            " address 192.0.2.2\ncrypto ipsec transform-set T esp-aes esp-sha-hmac\ncrypto map M 10 ipsec-isakmp\n set \
             peer 192.0.2.2\n set transform-set T\n match address A\ninterface wan0\n ip address 192.0.2.1 \
             255.255.255.0\n crypto map M\nip access-list extended A\n permit ip 10.0.1.0 0.0.0.255 10.0.2.0 0.0.0.255",
        );
        {
            let (running, problems) = isthmusd::config::load(&text, "test");
            assert_eq!(problems, []);
            let mut router = bed.router.borrow_mut();
            router.running = running.into();
            router.configured();
        }
        drop(text);
        reconcile(&bed.router).await.unwrap();
        let there = key.found();
        assert!(
            there.len() >= 2,
            "configuration and engine have it: {there:?}"
        );
        let unset = line("no crypto isakmp key 0 x address 192.0.2.2");
        type_all(&bed, &[line("configure terminal"), unset]).await;
        reconcile(&bed.router).await.unwrap();
        assert_eq!(key.found(), [""; 0]);
    });
}

#[test]
fn screens_and_files_leave_nothing_behind() {
    let key = Masked::random();
    bed::test(async |bed| {
        let set = key.line("crypto isakmp key ", " address 192.0.2.1");
        let other = key.line("crypto isakmp client configuration group G\nkey ", "");
        let (group, own) = other.split_once('\n').unwrap();
        let lines = [line("configure terminal"), set, line(group), line(own)];
        type_all(&bed, &lines).await;
        drop(lines);
        drop(other);
        let before = key.found();
        assert!(!before.is_empty());
        for command in [
            "show running-config",
            "show running-config | json",
            "show tech-support",
            "show crypto isakmp key",
            "copy running-config flash:copy",
            "more flash:copy",
            "copy running-config startup-config",
            "show archive config differences flash:copy null:",
            "show archive config differences flash:copy null: | json",
            "configure replace flash:copy force",
            "show history",
        ] {
            let mut console = bed.console().await;
            let done = console.answering(command, &["", ""]).await;
            assert_eq!(
                done.status,
                isthmus_control::Status::Ok,
                "{command}: {}",
                done.text
            );
            drop((console, done));
            settle().await;
            assert_eq!(
                key.found().len(),
                before.len(),
                "{command}: {:#?}",
                key.found()
            );
        }
    });
}

#[test]
fn a_refused_line_a_password_and_a_login_leave_nothing_behind() {
    let key = Masked::random();
    bed::test(async |bed| {
        let mut console = bed.console().await;
        console.run("configure terminal").await;
        for (before, after) in [
            ("username ann secret ", ""),
            ("username bob secret 0 ", ""),
            ("enable secret ", ""),
            ("crypto isakmp key ", " address nonsense"),
            ("nonsense ", ""),
            ("interface Loopback1 ", ""),
        ] {
            console.run(&key.line(before, after)).await;
        }
        console.run("end").await;
        drop(console);
        settle().await;
        assert_eq!(key.found(), [""; 0]);
        let mut console = bed.console().await;
        console.run("disable").await;
        let typed = key.line("", "");
        let done = console.answering("enable", &[&typed]).await;
        drop((console, done, typed));
        settle().await;
        assert_eq!(key.found(), [""; 0]);
    });
}
