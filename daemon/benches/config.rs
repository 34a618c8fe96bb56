//! Loading and printing a configuration with many crypto map entries, each with its key and its access-list. The time
//! must grow with their number and not faster: compare the rows for 1,000 and 10,000.
//!
//! `make bench` runs it.

use std::fmt::Write;

use isthmusd::config::{load, merge, render};

fn main() {
    divan::main();
}

const SIZES: [usize; 3] = [100, 1_000, 10_000];

/// A configuration with `count` entries, spelled as running-config prints it.
fn file(count: usize) -> String {
    let mut keys = String::new();
    let mut maps = String::new();
    let mut lists = String::new();
    for index in 0..count {
        let (high, low) = (index / 250, index % 250 + 1);
        let _ = writeln!(
            keys,
            "crypto isakmp key secret-{index} address 198.18.{high}.{low}"
        );
        let _ = write!(
            maps,
            "crypto map VPN {} ipsec-isakmp \n set peer 198.18.{high}.{low}\n set transform-set T \n set pfs group14\n \
             match address VPN-{index}\n",
            index + 1
        );
        let _ = write!(
            lists,
            "ip access-list extended VPN-{index}\n permit ip 10.0.0.0 0.255.255.255 172.{}.{}.0 0.0.0.255\n",
            16 + index / 256,
            index % 256
        );
    }
    format!(
        "hostname hub\n!\ncrypto isakmp policy 10\n encr aes 256\n hash sha256\n authentication pre-share\n group 14\n\
         {keys}!\ncrypto ipsec transform-set T esp-aes 256 esp-sha256-hmac \n mode tunnel\n!\n{maps}!\ninterface eth0\n \
         ip address 192.0.2.1 255.255.255.0\n crypto map VPN\n!\n{lists}!\nend\n"
    )
}

/// A file into the running-config.
#[divan::bench(args = SIZES, max_time = 5)]
fn load_file(bencher: divan::Bencher<'_, '_>, entries: usize) {
    bencher.with_inputs(|| file(entries)).bench_refs(|text| {
        let (running, problems) = load(text, "startup-config");
        assert!(problems.is_empty(), "{:?}", problems.first());
        running
    });
}

/// The running-config into text.
#[divan::bench(args = SIZES, max_time = 5)]
fn print_text(bencher: divan::Bencher<'_, '_>, entries: usize) {
    let (running, _) = load(&file(entries), "startup-config");
    bencher.bench(|| render::text(divan::black_box(&running)));
}

/// One more entry when there are many.
#[divan::bench(args = SIZES, max_time = 5)]
fn one_more_entry(bencher: divan::Bencher<'_, '_>, entries: usize) {
    let (mut running, _) = load(&file(entries), "startup-config");
    let lines = "crypto map VPN 60000 ipsec-isakmp\n set peer 192.0.2.2\nno crypto map VPN 60000\n";
    bencher.bench_local(|| merge(&mut running, divan::black_box(lines), "terminal"));
}
