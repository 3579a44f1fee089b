//! Fifty gzip bombs and fifty swollen bodies at once leave the collector no larger. Alone in its process, because it
//! looks at the memory of the whole process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "this is test code, which the lint does not see outside of tests")]

mod support;

use support::{CONFIG, Running, gzip};

/// The largest resident size of this process so far, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn bombs_do_not_unfold() {
    let running = Running::with(CONFIG, quartile_collector::app::Bounds::default());
    let bomb = gzip(&vec![b' '; 100 << 20]);
    let swollen = format!("[{}0]", "0,".repeat(200_000));
    running.collect(b"{}");
    let before = peak_memory();
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| assert_eq!(running.collect(&bomb).refusal(), (413, "too_large".into())));
            scope.spawn(|| assert_eq!(running.collect(swollen.as_bytes()).refusal(), (400, "unreadable".into())));
        }
    });
    let grown = peak_memory() - before;
    assert!(grown < 150 << 20, "grown by {} MiB", grown >> 20);
}
