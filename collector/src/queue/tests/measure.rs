//! How fast it is on the disk of this machine. Run by hand, in release mode:
//! `cargo test --release -p quartile-collector queue::tests::measure -- --ignored --nocapture --test-threads 1`.
//! The disk is that of `TMPDIR`.

#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::{DiskFs, Fs};
use super::{Config, Durability, Queue};

const PAYLOAD: usize = 700;
const SPAN: Duration = Duration::from_secs(5);

/// Appends from so many tasks for a while; prints the rate, the latencies and the size of the groups.
async fn appends(durability: Durability, tasks: usize) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { durability, ..Config::new(folder.path()) };
    let (queue, _reader) = Queue::open(&config, Arc::new(DiskFs)).unwrap();
    let begin = Instant::now();
    let work = (0..tasks).map(|_| {
        let queue = queue.clone();
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            while begin.elapsed() < SPAN {
                let start = Instant::now();
                if queue.append(vec![b'x'; PAYLOAD]).await.is_ok() {
                    latencies.push(start.elapsed());
                } else {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            latencies
        })
    });
    let mut latencies = Vec::new();
    for task in work.collect::<Vec<_>>() {
        latencies.extend(task.await.unwrap());
    }
    let seconds = begin.elapsed().as_secs_f64();
    queue.close().await;
    latencies.sort();
    let stats = queue.stats();
    println!(
        "{durability:?}, {tasks} tasks: {:.0} appends/s, p50 {:?}, p99 {:?}, {:.1} records a group, {} refused",
        latencies.len() as f64 / seconds,
        latencies[latencies.len() / 2],
        latencies[latencies.len() * 99 / 100],
        stats.appended_records as f64 / stats.groups as f64,
        stats.refused_full,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a check"]
async fn appending() {
    for tasks in [1, 32, 256] {
        appends(Durability::Fsync, tasks).await;
    }
    appends(Durability::Os, 32).await;
    appends(Durability::Memory, 32).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a check"]
async fn reading() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { durability: Durability::Memory, ..Config::new(folder.path()) };
    let disk: Arc<dyn Fs> = Arc::new(DiskFs);
    let (queue, reader) = Queue::open(&config, Arc::clone(&disk)).unwrap();
    let mut records = 0;
    while records < 300_000 {
        match queue.append(vec![b'x'; PAYLOAD]).await {
            Ok(()) => records += 1,
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
    queue.close().await;
    drop((queue, reader));
    let start = Instant::now();
    let (queue, mut reader) = Queue::open(&config, disk).unwrap();
    let opened = start.elapsed();
    queue.close().await;
    let (start, mut read) = (Instant::now(), 0);
    while let Some(batch) = reader.next_batch(5000, 4 << 20).await.unwrap() {
        read += batch.len();
        reader.commit(batch[batch.len() - 1].position).await.unwrap();
    }
    let rate = read as f64 / start.elapsed().as_secs_f64();
    println!("opened {records} records in {opened:?}; read and committed {rate:.0} records/s in batches of 5000");
}
