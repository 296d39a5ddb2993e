//! Sampled kernels in pieces of some networks each.

use ndarray::Array2;

/// One kernel as the mean over some networks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) networks: usize,
    pub(super) mean: Array2<f64>,
    /// The standard error of each entry of the mean; NaN for a single network.
    pub(super) error: Array2<f64>,
}

impl Piece {
    /// The sum over networks of squared differences from the mean.
    fn squares(&self) -> Array2<f64> {
        let n = self.networks as f64;
        match self.networks {
            0 | 1 => Array2::zeros(self.mean.dim()),
            _ => self.error.mapv(|error| error * error * n * (n - 1.0)),
        }
    }
}

/// All networks of some pieces; `None` for no piece.
pub(super) fn total(pieces: &[Piece]) -> Option<Piece> {
    let (first, rest) = pieces.split_first()?;
    let (mut count, mut mean, mut squares) = (first.networks as f64, first.mean.clone(), first.squares());
    for piece in rest {
        // Chan, Golub and LeVeque (1979).
        let (n, apart) = (piece.networks as f64, &piece.mean - &mean);
        squares = squares + piece.squares() + &apart * &apart * (count * n / (count + n));
        mean = mean + apart * (n / (count + n));
        count += n;
    }
    let networks = pieces.iter().map(|piece| piece.networks).sum();
    let error = squares.mapv(|squares| (squares / (count * (count - 1.0))).sqrt());
    Some(Piece { networks, mean, error })
}

/// The means of all networks but those of one piece, for each piece; none of a single piece.
pub(super) fn without_each(pieces: &[Piece]) -> Vec<Array2<f64>> {
    let Some(all) = total(pieces).filter(|_| pieces.len() > 1) else { return Vec::new() };
    let n = all.networks as f64;
    let without = |piece: &Piece| {
        let own = piece.networks as f64;
        (&all.mean * n - &piece.mean * own) / (n - own)
    };
    pieces.iter().map(without).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::{Axis, array};

    use super::*;

    fn piece(values: &[f64]) -> Piece {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        let error = (squares / (n * (n - 1.0))).sqrt();
        Piece { networks: values.len(), mean: array![[mean]], error: array![[error]] }
    }

    #[test]
    fn pieces_of_any_size_add_up_to_the_whole() {
        let values = [1.0, 4.0, -2.0, 0.5, 9.0, 3.0, 3.5];
        let whole = piece(&values);
        for cuts in [vec![2, 5], vec![1], vec![1, 2, 3, 4, 5, 6], vec![]] {
            let ends = cuts.iter().copied().chain([values.len()]);
            let mut start = 0;
            let pieces: Vec<Piece> =
                ends.map(|end| piece(&values[std::mem::replace(&mut start, end)..end])).collect();
            let found = total(&pieces).unwrap();
            assert_eq!(found.networks, 7);
            assert!((&found.mean - &whole.mean).iter().all(|x| x.abs() < 1e-14));
            assert!((&found.error - &whole.error).iter().all(|x| x.abs() < 1e-14));
            for (i, mean) in without_each(&pieces).into_iter().enumerate() {
                let rest: Vec<Piece> =
                    pieces.iter().enumerate().filter(|(k, _)| *k != i).map(|(_, p)| p.clone()).collect();
                let rest = total(&rest).unwrap().mean;
                assert!((mean - rest).sum_axis(Axis(0)).iter().all(|x| x.abs() < 1e-13));
            }
        }
    }
}
