//! The same bits for every tile shape and number of threads; progress; cancelling.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ekernel_core::{BackendError, Control, KernelSet, Pairs, Progress};
use ekernel_gram::{GramError, Job, Options, gram};

use crate::fake::{Fake, bits, expected, samples};

#[test]
fn every_tile_shape_and_thread_count_gives_the_same_bits() {
    for kinds in [KernelSet::Nngp, KernelSet::Both] {
        for (n1, n2) in [(1, 1), (1, 7), (7, 1), (7, 5), (9, 9)] {
            let (x1, x2) = (samples(n1), samples(n2));
            for pairs in [Pairs::within(x1.clone()), Pairs::cross(x1.clone(), x2.clone())] {
                let due = bits(&expected(&pairs, kinds));
                for shape in [[1, 1], [1, 100], [100, 1], [2, 3], [3, 2], [4, 4], [100, 100]] {
                    for threads in [1, 2, 5] {
                        let fake = Fake::new(kinds);
                        let options = Options {
                            tile_shape: Some(shape),
                            threads: Some(threads),
                            ..Options::new(kinds)
                        };
                        let found = gram(&fake, pairs.clone(), &options, &Control::new()).unwrap();
                        assert_eq!(bits(&found), due, "{pairs:?} in tiles of {shape:?} on {threads} threads");
                    }
                }
            }
        }
    }
}

#[test]
fn of_one_set_no_pair_is_asked_for_twice() {
    let x = samples(23);
    for shape in [[4, 6], [6, 4], [5, 5]] {
        let fake = Fake::new(KernelSet::Nngp);
        let options = Options { tile_shape: Some(shape), ..Options::new(KernelSet::Nngp) };
        gram(&fake, Pairs::within(x.clone()), &options, &Control::new()).unwrap();
        let calls = fake.calls.lock().unwrap();
        assert!(calls.pairs.values().all(|&times| times == 1));
        let below = calls.pairs.keys().filter(|(i, j)| i > j).count();
        // Below the diagonal only what lies in the square tiles: 23 = 5 · 4 + 3 or 4 · 5 + 3.
        assert_eq!(below, if shape == [5, 5] { 4 * 10 + 3 } else { 5 * 6 + 3 }, "{shape:?}");
        for pair in (0..23).flat_map(|i| (i..23).map(move |j| (i, j))) {
            assert!(calls.pairs.contains_key(&pair), "{pair:?}");
        }
    }
}

#[test]
fn the_session_says_how_tiles_are_cut_and_how_many_run_together() {
    let x = samples(12);
    let fake = Fake {
        tile_shape: [2, 5],
        concurrency: 3,
        memory: [1000, 10],
        ..Fake::slow(KernelSet::Both, Duration::from_millis(20))
    };
    let job = Job::prepare(&fake, Pairs::within(x.clone()), &Options::new(KernelSet::Both), &Control::new())
        .unwrap();
    let summary = job.summary();
    assert_eq!((summary.shape, summary.pairs, summary.tile_shape), ([12, 12], 78, [2, 5]));
    assert_eq!((summary.finished, summary.discarded, summary.threads), (0, 0, 3));
    assert_eq!(summary.memory.result, 2 * 8 * 144);
    assert_eq!(summary.memory.session, 1000);
    assert_eq!(summary.memory.tiles, 3 * (10 + 2 * 8 * 10));
    job.run(&Control::new()).unwrap();
    let calls = fake.calls.lock().unwrap();
    assert_eq!(calls.tiles.len(), summary.tiles);
    assert_eq!(calls.most_running, 3);
}

#[test]
fn progress_rises_from_nothing_to_every_pair() {
    let (x1, x2) = (samples(10), samples(7));
    for (pairs, of) in [(Pairs::within(x1.clone()), 55), (Pairs::cross(x1.clone(), x2.clone()), 70)] {
        let reports = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&reports);
        let control = Control::with_progress(move |progress| sink.lock().unwrap().push(progress));
        let options = Options { threads: Some(4), ..Options::new(KernelSet::Nngp) };
        gram(&Fake::new(KernelSet::Nngp), pairs, &options, &control).unwrap();
        let done: Vec<u64> = reports
            .lock()
            .unwrap()
            .iter()
            .map(|progress| match *progress {
                Progress::Pairs { done, of: total } if total == of => done,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(done.is_sorted_by(|a, b| a < b), "{done:?}");
        assert_eq!((done[0], *done.last().unwrap()), (0, of));
    }
}

#[test]
fn cancelling_stops_within_a_tile() {
    let x = samples(40);
    // Tiles of 2000 steps that look at the control at each, as sessions promise; it is cancelled at the tenth.
    let steps = Arc::new(AtomicUsize::new(0));
    let control = Control::new();
    let (counted, caller) = (Arc::clone(&steps), control.clone());
    let act = move |_: &_, _: &_, control: &Control| {
        for _ in 0..2000 {
            control.check()?;
            if counted.fetch_add(1, Ordering::Relaxed) == 10 {
                caller.cancel();
            }
        }
        Ok(())
    };
    let fake = Fake { act: Arc::new(act), concurrency: 1, ..Fake::new(KernelSet::Nngp) };
    let result = gram(&fake, Pairs::within(x), &Options::new(KernelSet::Nngp), &control);
    assert!(matches!(result, Err(GramError::Cancelled { done: 0, store: None, .. })), "{result:?}");
    assert_eq!((steps.load(Ordering::Relaxed), fake.tiles_computed()), (11, 1));
}

#[test]
fn cancelled_before_it_began() {
    let x = samples(4);
    let control = Control::new();
    control.cancel();
    let error =
        gram(&Fake::new(KernelSet::Nngp), Pairs::within(x.clone()), &Options::new(KernelSet::Nngp), &control);
    let error = error.unwrap_err();
    assert!(matches!(error, GramError::Cancelled { done: 0, of: 0, store: None }), "{error}");
    assert!(error.to_string().starts_with("cancelled before the first tile"), "{error}");
}

#[test]
fn a_failing_tile_ends_the_run_with_its_error() {
    let x = samples(30);
    let act = |rows: &std::ops::Range<usize>, _: &_, _: &_| {
        if rows.start < 9 {
            return Ok(());
        }
        Err(BackendError::Device {
            device: "fake".to_owned(),
            problem: format!("lost at row {}", rows.start),
            remedy: "none".to_owned(),
        })
    };
    for threads in [1, 2, 6] {
        let fake = Fake { act: Arc::new(act), ..Fake::new(KernelSet::Nngp) };
        let options = Options { threads: Some(threads), ..Options::new(KernelSet::Nngp) };
        let control = Control::new();
        let error = gram(&fake, Pairs::within(x.clone()), &options, &control).unwrap_err();
        assert!(matches!(error, GramError::Backend(BackendError::Device { .. })), "{error}");
        assert!(error.to_string().contains("lost at row 9"), "{error}");
        assert!(!control.is_cancelled(), "the caller's control is the caller's");
    }
}
