//! Distances between the mean outputs of ensembles.

use ndarray::{Array2, Axis};
use serde::Serialize;

use super::kept::{History, SETS};

/// An ensemble after training.
pub(super) struct Trained {
    pub(super) name: String,
    pub(super) members: Vec<History>,
}

/// The distance of two ensembles at one size and epoch, on one set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Distance {
    /// The two ensembles; twice the same name for disjoint parts of one, which chance alone sets apart.
    pub(super) between: [String; 2],
    /// `test` or `ood`.
    pub(super) set: &'static str,
    /// Members in each mean.
    pub(super) size: usize,
    /// Epochs done.
    pub(super) epoch: usize,
    /// The mean over samples of the Euclidean distance of the mean outputs.
    pub(super) distance: f64,
}

/// Sizes of ensembles that are compared, the number of members last.
pub(super) fn sizes(members: usize) -> Vec<usize> {
    let mut sizes: Vec<usize> =
        [1, 3, 8, 30, 100, 300, 1000].into_iter().filter(|size| *size < members).collect();
    sizes.push(members);
    sizes
}

/// Distances at all sizes and epochs, each the mean over disjoint groups of members.
pub(super) fn distances(ensembles: &[Trained]) -> Vec<Distance> {
    let members = ensembles.iter().map(|trained| trained.members.len()).min().unwrap_or(0);
    let mut found = Vec::new();
    for (set, name) in SETS.into_iter().enumerate() {
        for (i, first) in ensembles.iter().enumerate() {
            for second in &ensembles[i..] {
                let epochs = first.members.first().map_or(0, |member| member.outputs[set].len());
                for (size, epoch) in sizes(members).into_iter().flat_map(|n| (0..epochs).map(move |e| (n, e)))
                {
                    let distance = match first.name == second.name {
                        true => by_chance(&first.members, size, set, epoch),
                        false => Some(between(&first.members, &second.members, size, set, epoch)),
                    };
                    found.extend(distance.map(|distance| Distance {
                        between: [first.name.clone(), second.name.clone()],
                        set: name,
                        size,
                        epoch,
                        distance,
                    }));
                }
            }
        }
    }
    found
}

/// The distance of two ensembles.
fn between(first: &[History], second: &[History], size: usize, set: usize, epoch: usize) -> f64 {
    let pairs = first.chunks_exact(size).zip(second.chunks_exact(size));
    average(pairs.map(|(a, b)| distance(&mean(a, set, epoch), &mean(b, set, epoch))))
}

/// The distance of two parts of `size` members of one ensemble. Where there are not so many members it is that of its
/// halves, by the rule that the distance of means falls like one over the root of the size.
fn by_chance(members: &[History], size: usize, set: usize, epoch: usize) -> Option<f64> {
    let part = size.min(members.len() / 2);
    if part == 0 {
        return None;
    }
    let groups: Vec<Array2<f64>> = members.chunks_exact(part).map(|group| mean(group, set, epoch)).collect();
    let apart = average(groups.chunks_exact(2).map(|pair| distance(&pair[0], &pair[1])));
    Some(apart * (part as f64 / size as f64).sqrt())
}

fn average(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    sum / count
}

fn mean(group: &[History], set: usize, epoch: usize) -> Array2<f64> {
    let mut sum = group[0].outputs[set][epoch].clone();
    group[1..].iter().for_each(|history| sum += &history.outputs[set][epoch]);
    sum / group.len() as f64
}

fn distance(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    (a - b).map_axis(Axis(1), |row| row.dot(&row).sqrt()).mean().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_disjoint_groups_are_compared() {
        let history = |value: f64| History {
            outputs: [vec![Array2::from_elem((2, 1), value)], Vec::new()],
            ..History::default()
        };
        let trained = |name: &str, values: &[f64]| Trained {
            name: name.to_owned(),
            members: values.iter().map(|value| history(*value)).collect(),
        };
        let all = [trained("a", &[0.0, 2.0]), trained("b", &[1.0, 4.0])];
        let found = distances(&all);
        let of = |first: &str, second: &str, size| {
            let at = |d: &&Distance| d.between == [first, second] && d.size == size;
            found.iter().find(at).map(|d| d.distance)
        };
        assert_eq!(of("a", "b", 1), Some(1.5));
        assert_eq!(of("a", "b", 2), Some(1.5));
        assert_eq!(of("a", "a", 1), Some(2.0));
        assert_eq!(of("a", "a", 2), Some(2.0_f64.sqrt()));
        assert!(found.iter().all(|d| d.set == "test"));
        let one = distances(&[trained("a", &[3.0])]);
        assert_eq!(one, []);
        assert_eq!([sizes(1), sizes(8), sizes(100)], [vec![1], vec![1, 3, 8], vec![1, 3, 8, 30, 100]]);
    }
}
