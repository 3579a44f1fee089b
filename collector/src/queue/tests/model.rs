//! The queue against a model of it, through random appends, reads, failures, restarts and power cuts.
//!
//! Whatever happens: each acknowledged record that is not consumed comes out, in order, byte for byte; none that was
//! committed comes out again; and nothing comes out that was never appended. A record whose append failed may come out
//! or not.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::super::sim_fs::{Loss, Op, SimFs};
use super::super::{Position, Record};
use super::{ALL, Config, DIR, Durability, Queue, Reader, open};

#[derive(Debug, Clone)]
enum Step {
    /// Appends records of these sizes, all at once.
    Append(Vec<u16>),
    /// Reads up to so many and perhaps commits them.
    Read { records: usize, commit: bool },
    /// So many operations of a kind will fail.
    Fail(Op, u32),
    /// Closes and opens.
    Restart,
    /// The power goes after so many operations on the disk, most likely while these are appended.
    PowerCut { after: u32, sizes: Vec<u16>, loss: Loss },
}

struct Appended {
    payload: Vec<u8>,
    acknowledged: bool,
}

struct Run {
    fs: SimFs,
    config: Config,
    open: Option<(Queue, Reader)>,
    /// Everything ever appended; the index is in the payload.
    appended: Vec<Appended>,
    /// Records before this index must not come out again.
    committed: usize,
    /// A commit up to here failed, so it may be in force or not.
    perhaps_committed: usize,
    /// Records before this index came out since the queue was opened.
    read: usize,
    last: Option<Position>,
}

impl Run {
    fn new(fs: &SimFs, durability: Durability) -> Self {
        let config = Config { segment_bytes: 300, max_bytes: 1 << 20, durability, ..Config::new(DIR) };
        let open = Some(open(fs, &config));
        let fs = fs.clone();
        Self { fs, config, open, appended: Vec::new(), committed: 0, perhaps_committed: 0, read: 0, last: None }
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Append(sizes) => self.append(sizes).await,
            Step::Read { records, commit } => self.read(*records, *commit).await?,
            Step::Fail(op, times) => self.fs.fail(*op, *times),
            Step::Restart => {
                self.close().await;
                self.reopen();
            }
            Step::PowerCut { after, sizes, loss } => {
                self.fs.power_for(*after);
                self.append(sizes).await;
                self.fs = self.fs.cut_power(*loss);
                self.reopen();
            }
        }
        Ok(())
    }

    async fn append(&mut self, sizes: &[u16]) {
        let Some((queue, _)) = &self.open else { return };
        let mut appends = Vec::new();
        for size in sizes {
            let index = self.appended.len() as u32;
            let mut payload = index.to_le_bytes().to_vec();
            payload.extend((0..*size).map(|n| (n as u8) ^ (index as u8)));
            self.appended.push(Appended { payload: payload.clone(), acknowledged: false });
            let queue = queue.clone();
            appends.push((index as usize, tokio::spawn(async move { queue.append(payload).await })));
        }
        for (index, append) in appends {
            self.appended[index].acknowledged = append.await.is_ok_and(|result| result.is_ok());
        }
    }

    async fn read(&mut self, records: usize, commit: bool) -> Result<(), String> {
        let Some((queue, mut reader)) = self.open.take() else {
            return Ok(());
        };
        let stats = queue.stats();
        // At the end it would wait for ever.
        if self.last.map_or(0, |last| last.get() + 1).max(stats.oldest.get()) < stats.next.get()
            && let Ok(Some(batch)) = timely(reader.next_batch(records, ALL)).await?
        {
            self.check(&batch)?;
            let last = batch[batch.len() - 1].position;
            if commit {
                let committed = timely(reader.commit(last)).await?.is_ok();
                self.perhaps_committed = self.perhaps_committed.max(self.read);
                self.committed = if committed { self.read } else { self.committed };
            }
        }
        self.open = Some((queue, reader));
        Ok(())
    }

    fn check(&mut self, batch: &[Record]) -> Result<(), String> {
        for record in batch {
            if self.last.is_some_and(|last| record.position <= last) {
                return Err(format!("position {} came after {:?}", record.position, self.last));
            }
            self.last = Some(record.position);
            let index = record.payload.first_chunk().map_or(usize::MAX, |index| u32::from_le_bytes(*index) as usize);
            let Some(appended) = self.appended.get(index).filter(|appended| appended.payload == record.payload) else {
                return Err(format!("what came out at {} was never appended", record.position));
            };
            if appended.acknowledged {
                if index < self.read {
                    return Err(format!("record {index} came out again or out of order"));
                }
                self.nothing_missing(index)?;
                self.read = index + 1;
            }
        }
        Ok(())
    }

    /// All acknowledged records before `index` have come out, or were consumed.
    fn nothing_missing(&self, index: usize) -> Result<(), String> {
        let from = self.read.max(self.perhaps_committed);
        match (from..index).find(|index| self.appended[*index].acknowledged) {
            Some(lost) => Err(format!("record {lost} was acknowledged and is missing")),
            None => Ok(()),
        }
    }

    async fn close(&mut self) {
        if let Some((queue, _reader)) = self.open.take() {
            queue.close().await;
        }
    }

    fn reopen(&mut self) {
        self.fs.heal();
        self.open = None;
        self.open = Some(open(&self.fs, &self.config));
        self.read = self.committed;
        self.last = None;
    }

    /// Reads everything and sees that nothing is missing.
    async fn finish(mut self) -> Result<(), String> {
        self.close().await;
        self.reopen();
        let Some((queue, mut reader)) = self.open.take() else {
            return Ok(());
        };
        queue.close().await;
        while let Some(batch) = timely(reader.next_batch(7, 500)).await?.map_err(|error| error.to_string())? {
            self.check(&batch)?;
        }
        self.nothing_missing(self.appended.len())
    }
}

/// A queue that hangs fails the test instead of stopping it.
async fn timely<T>(future: impl Future<Output = T>) -> Result<T, String> {
    tokio::time::timeout(Duration::from_secs(20), future).await.map_err(|_| "the queue hangs".to_owned())
}

fn run(fs: &SimFs, durability: Durability, steps: &[Step]) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let mut run = Run::new(fs, durability);
        for step in steps {
            run.step(step).await?;
        }
        run.finish().await
    })
}

fn sizes() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(prop_oneof![8 => 0..60_u16, 1 => 200..700_u16], 1..12)
}

fn step() -> impl Strategy<Value = Step> {
    let op = prop::sample::select(vec![
        Op::Create,
        Op::Append,
        Op::Sync,
        Op::Read,
        Op::Truncate,
        Op::Rename,
        Op::Remove,
        Op::SyncDir,
    ]);
    let loss = prop_oneof![Just(Loss::Everything), any::<u64>().prop_map(Loss::Some)];
    prop_oneof![
        6 => sizes().prop_map(Step::Append),
        4 => (1..30_usize, any::<bool>()).prop_map(|(records, commit)| Step::Read { records, commit }),
        // Fewer failures than it takes to give a place up.
        2 => (op, 1..3_u32).prop_map(|(op, times)| Step::Fail(op, times)),
        1 => Just(Step::Restart),
        3 => (0..12_u32, sizes(), loss).prop_map(|(after, sizes, loss)| Step::PowerCut { after, sizes, loss }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(300), max_shrink_iters: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn acknowledged_records_survive_anything(steps in prop::collection::vec(step(), 1..25)) {
        let result = run(&SimFs::default(), Durability::Fsync, &steps);
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }
}

/// Three records, a power cut that takes all that was not synced, three more.
fn story() -> Vec<Step> {
    let cut = Step::PowerCut { after: 1000, sizes: vec![10; 3], loss: Loss::Everything };
    vec![Step::Append(vec![10; 3]), cut, Step::Append(vec![10; 3])]
}

#[test]
fn the_story_ends_well_with_fsync() {
    assert_eq!(run(&SimFs::default(), Durability::Fsync, &story()), Ok(()));
}

#[test]
fn the_model_notices_what_a_power_cut_takes_without_fsync() {
    for durability in [Durability::Os, Durability::Memory] {
        let result = run(&SimFs::default(), durability, &story());
        assert_eq!(result, Err("record 0 was acknowledged and is missing".to_owned()), "{durability:?}");
    }
}

#[test]
fn the_model_notices_a_sync_that_is_skipped() {
    for skipped in [Op::Sync, Op::SyncDir] {
        let fs = SimFs::default();
        fs.lie(skipped);
        let result = run(&fs, Durability::Fsync, &story());
        assert_eq!(result, Err("record 0 was acknowledged and is missing".to_owned()), "{skipped:?}");
    }
}

/// Whether random steps, the same ones on every run, find that something acknowledged is missing on a disk where an
/// operation is reported as done and is not: a queue without that operation.
fn random_steps_find_a_queue_without(skipped: Option<Op>) -> bool {
    let config =
        ProptestConfig { cases: 300, failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let steps = prop::collection::vec(step(), 1..25);
    let found = runner.run(&steps, |steps| {
        let fs = SimFs::default();
        if let Some(op) = skipped {
            fs.lie(op);
        }
        run(&fs, Durability::Fsync, &steps).map_err(TestCaseError::fail)
    });
    found.is_err_and(|error| error.to_string().contains("was acknowledged and is missing"))
}

#[test]
fn random_steps_find_a_queue_without_fdatasync_or_without_syncing_its_folder() {
    assert!(random_steps_find_a_queue_without(Some(Op::Sync)));
    assert!(random_steps_find_a_queue_without(Some(Op::SyncDir)));
    assert!(!random_steps_find_a_queue_without(None));
}

#[test]
fn without_a_power_cut_no_mode_loses_anything() {
    let steps =
        [Step::Append(vec![10; 9]), Step::Read { records: 4, commit: true }, Step::Restart, Step::Append(vec![500])];
    for durability in [Durability::Fsync, Durability::Os, Durability::Memory] {
        assert_eq!(run(&SimFs::default(), durability, &steps), Ok(()), "{durability:?}");
    }
}
