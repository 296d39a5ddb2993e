//! Lanes sorted into registers: second copies side by side, each with the first copies that they meet.

use ekernel_pairs::{Lane, Unit};

/// Second copies side by side, and the runs that they are packed for.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Register {
    /// The second copies.
    pub(crate) seconds: Vec<Unit>,
    /// One run for each first copy.
    pub(crate) runs: Vec<Run>,
}

/// First copies that meet a register.
#[derive(Debug, PartialEq)]
pub(crate) struct Run {
    /// One for all places of the register, or each place's second copy.
    pub(crate) first: First,
    /// Places of the register and the numbers of their lanes. Other places are computed in vain.
    pub(crate) lanes: Vec<(usize, usize)>,
}

/// The first copies of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// One for all places.
    One(Unit),
    /// Each place's second copy.
    Itself,
}

/// Sorts lanes, given as their numbers among `lanes`, into registers of `width` places. A value does not depend on how.
pub(crate) fn registers(lanes: &[Lane], numbers: &[usize], width: usize) -> Vec<Register> {
    let [first, second] = [0, 1].map(|side| move |at: usize| lanes[at].units[side]);
    if numbers.iter().all(|&at| first(at) == second(at)) {
        let register = |numbers: &[usize]| Register {
            seconds: numbers.iter().map(|&at| second(at)).collect(),
            runs: vec![Run { first: First::Itself, lanes: numbers.iter().copied().enumerate().collect() }],
        };
        return numbers.chunks(width).map(register).collect();
    }
    let distinct = |unit: &dyn Fn(usize) -> Unit| {
        let mut units: Vec<Unit> = numbers.iter().map(|&at| unit(at)).collect();
        units.sort_unstable();
        units.dedup();
        units
    };
    let (firsts, seconds) = (distinct(&first), distinct(&second));
    let mut sorted: Vec<(Unit, usize, usize)> = numbers
        .iter()
        .map(|&at| (first(at), seconds.binary_search(&second(at)).expect("all seconds are listed"), at))
        .collect();
    sorted.sort_unstable();
    let run = |first: Unit, lanes: Vec<(usize, usize)>| Run { first: First::One(first), lanes };
    // Most pairs of a rectangle: a register is packed once for all first copies.
    if 2 * numbers.len() >= firsts.len() * seconds.len() {
        let mut found: Vec<Register> = seconds
            .chunks(width)
            .map(|seconds| Register { seconds: seconds.to_vec(), runs: Vec::new() })
            .collect();
        for same in sorted.chunk_by(|a, b| (a.0, a.1 / width) == (b.0, b.1 / width)) {
            let lanes = same.iter().map(|&(_, place, at)| (place % width, at)).collect();
            found[same[0].1 / width].runs.push(run(same[0].0, lanes));
        }
        return found;
    }
    let mut found = Vec::new();
    for same in sorted.chunk_by(|a, b| a.0 == b.0) {
        for some in same.chunks(width) {
            found.push(Register {
                seconds: some.iter().map(|&(_, place, _)| seconds[place]).collect(),
                runs: vec![run(same[0].0, some.iter().map(|&(_, _, at)| at).enumerate().collect())],
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes(pairs: impl IntoIterator<Item = [usize; 2]>) -> Vec<Lane> {
        let lane = |[first, second]: [usize; 2]| Lane {
            units: [Unit { set: 0, index: first }, Unit { set: 1, index: second }],
            identical: false,
            same: false,
        };
        pairs.into_iter().map(lane).collect()
    }

    /// Every lane stands once in a place that holds its second copy, in a run of its first one.
    fn checked(lanes: &[Lane], width: usize) -> Vec<Register> {
        let numbers: Vec<usize> = (0..lanes.len()).collect();
        let found = registers(lanes, &numbers, width);
        let mut seen = Vec::new();
        for register in &found {
            assert!(register.seconds.len() <= width);
            for run in &register.runs {
                for &(place, at) in &run.lanes {
                    let second = register.seconds[place];
                    let first = if let First::One(first) = run.first { first } else { second };
                    assert_eq!(lanes[at].units, [first, second]);
                    seen.push(at);
                }
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, numbers);
        found
    }

    #[test]
    fn a_rectangle_is_packed_once() {
        let all = lanes((0..5).flat_map(|i| (0..7).map(move |j| [i, j])));
        let found = checked(&all, 4);
        assert_eq!(found.iter().map(|register| register.runs.len()).collect::<Vec<_>>(), [5, 5]);
        let triangle = lanes((0..6).flat_map(|i| (i..6).map(move |j| [i, j])));
        assert_eq!(checked(&triangle, 8).len(), 1);
    }

    #[test]
    fn single_pairs_do_not_fill_a_rectangle() {
        let diagonal = lanes((0..40).map(|i| [i, (7 * i) % 40]));
        let found = checked(&diagonal, 8);
        assert!(found.iter().all(|register| register.seconds.len() == 1));
        let repeated = lanes([[0, 1], [0, 1], [3, 5]]);
        checked(&repeated, 8);
    }

    #[test]
    fn units_with_themselves_lie_side_by_side() {
        let unit = |index| Unit { set: 0, index };
        let lane = |index| Lane { units: [unit(index); 2], identical: true, same: true };
        let all: Vec<Lane> = (0..10).map(lane).collect();
        let found = checked(&all, 4);
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|register| register.runs[0].first == First::Itself));
    }
}
