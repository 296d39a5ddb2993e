//! What is refused, and in which words.

use ekernel_core::{Control, KernelSet, Pairs};
use ekernel_gram::{GramError, Job, Options, gram};

use crate::fake::{Fake, samples};

fn refused(fake: &Fake, pairs: Pairs, options: &Options) -> (GramError, String) {
    let error = gram(fake, pairs, options, &Control::new()).unwrap_err();
    let text = error.to_string();
    (error, text)
}

#[test]
fn empty_sets() {
    let (none, some) = (samples(0), samples(2));
    let fake = Fake::new(KernelSet::Both);
    for (pairs, set) in [
        (Pairs::within(none.clone()), "first"),
        (Pairs::cross(none.clone(), some.clone()), "first"),
        (Pairs::cross(some.clone(), none.clone()), "second"),
    ] {
        let (_, text) = refused(&fake, pairs, &Options::new(KernelSet::Both));
        assert!(text.starts_with(&format!("the {set} samples are empty")), "{text}");
    }
    assert_eq!(fake.calls.lock().unwrap().prepared, 0);
}

#[test]
fn options_of_zero() {
    let x = samples(2);
    let base = Options::new(KernelSet::Both);
    for (options, name) in [
        (Options { threads: Some(0), ..base.clone() }, "threads"),
        (Options { tile_shape: Some([0, 3]), ..base.clone() }, "rows of a tile"),
        (Options { tile_shape: Some([3, 0]), ..base }, "columns of a tile"),
    ] {
        let (error, text) = refused(&Fake::new(KernelSet::Both), Pairs::within(x.clone()), &options);
        assert!(matches!(error, GramError::Zero { .. }) && text.contains(name), "{text}");
    }
}

#[test]
fn a_value_that_is_not_finite_names_the_pair_whatever_the_threads() {
    let (x1, x2) = (samples(11), samples(9));
    for (planted, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        for threads in [1, 3] {
            let fake = Fake { planted: Some((7, 5, planted)), ..Fake::new(KernelSet::Both) };
            let options = Options { threads: Some(threads), ..Options::new(KernelSet::Both) };
            let (error, message) = refused(&fake, Pairs::cross(x1.clone(), x2.clone()), &options);
            assert!(
                matches!(error, GramError::NotFinite { kernel: "NNGP", row: 7, col: 5, .. }),
                "{error:?}"
            );
            let due = format!("the NNGP of sample 7 of the first set and sample 5 of the second is {text};");
            assert!(message.starts_with(&due), "{message}");
        }
    }
}

#[test]
fn more_memory_than_there_is() {
    let x = samples(100);
    let limited =
        |limit| Options { memory_limit: Some(limit), threads: Some(2), ..Options::new(KernelSet::Both) };
    let fake = Fake { memory: [5000, 1000], tile_shape: [10, 10], ..Fake::new(KernelSet::Both) };
    let needed = 2 * 8 * 100 * 100 + 5000 + 2 * (1000 + 2 * 8 * 10 * 10);

    // The result alone is too much: refused before anything is prepared.
    let (error, text) = refused(&fake, Pairs::within(x.clone()), &limited(100_000));
    assert!(matches!(error, GramError::Memory { rows: 100, cols: 100, available: 100_000, .. }), "{error:?}");
    assert!(text.contains("156.2 KiB of memory") && text.contains("97.7 KiB that may be used"), "{text}");
    assert_eq!(fake.calls.lock().unwrap().prepared, 0);

    // All of it is one byte too much.
    let (error, _) = refused(&fake, Pairs::within(x.clone()), &limited(needed - 1));
    assert!(matches!(error, GramError::Memory { memory, .. } if memory.total() == needed), "{error:?}");
    let job = Job::prepare(&fake, Pairs::within(x.clone()), &limited(needed), &Control::new()).unwrap();
    assert_eq!(job.summary().memory.total(), needed);

    // A larger tile than the session's own takes more in proportion.
    let options = Options { tile_shape: Some([20, 15]), ..limited(u64::MAX) };
    let job = Job::prepare(&fake, Pairs::within(x.clone()), &options, &Control::new()).unwrap();
    assert_eq!(job.summary().memory.tiles, 2 * (3 * 1000 + 2 * 8 * 300));
}

#[test]
fn a_backend_that_needs_more_than_the_machine_has() {
    let x = samples(3);
    let fake = Fake { memory: [u64::MAX, u64::MAX], ..Fake::new(KernelSet::Both) };
    let (error, text) = refused(&fake, Pairs::within(x.clone()), &Options::new(KernelSet::Both));
    assert!(matches!(error, GramError::Memory { .. }), "{error:?}");
    assert!(text.contains("16.0 EiB"), "{text}");
}

#[test]
fn a_backend_that_returns_other_kernels_than_asked() {
    let x = samples(3);
    let (error, text) =
        refused(&Fake::new(KernelSet::Nngp), Pairs::within(x.clone()), &Options::new(KernelSet::Both));
    assert!(matches!(error, GramError::Contract { .. }), "{error:?}");
    assert!(text.contains("NNGP 3 × 3 and NTK none where"), "{text}");
}
