//! K(t, t) of one copy of a sample behind every op, by position: what backends need of a sample before they meet its pairs.
//!
//! Variances are the field's v, standard deviations s = √v. Maps are `[stage][op][position]`, positions row by row.

use super::{Plan, PlaneOp, Pointwise, Sink, Stage};
use crate::{Activation, Window};

/// `[stage][op][position]`.
pub type Variances = Vec<Vec<Vec<f64>>>;

/// Variances below this are faint.
const FAINT: f64 = 1e-30;

/// The share of m² below which a variance behind a local pool is the rounding of sums of some positions in float64.
const CANCELLED: f64 = 16.0 * f64::EPSILON;

impl Stage {
    /// v behind the op `index`, from the maps of the ops before it; of [`PlaneOp::Correlate`] from the numbers `[position][channel]` of the
    /// sample. Nothing for ops that read other stages.
    pub fn variances(
        &self,
        index: usize,
        (numbers, channels): (&[f64], usize),
        maps: &[Vec<f64>],
    ) -> Vec<f64> {
        let op = &self.ops[index];
        let each = |f: &dyn Fn(f64) -> f64| maps[op.inputs[0]].iter().map(|v| f(*v)).collect();
        match &op.op {
            PlaneOp::Correlate => {
                let mean = |f: &[f64]| f.iter().map(|x| x * x).sum::<f64>() / channels as f64;
                numbers.chunks_exact(channels).map(mean).collect()
            }
            PlaneOp::BoxMean(window) => {
                let input = op.inputs[0];
                let area = window.area() as f64;
                let sums = window_sums(window, self.ops[input].at.extent, op.at.extent, |t| maps[input][t]);
                sums.into_iter().map(|x| x / area).collect()
            }
            PlaneOp::Pointwise(Pointwise::Normalize(over)) => {
                let v = &maps[op.inputs[0]];
                v.iter().zip(over.factors(v)).map(|(v, n)| v * n * n).collect()
            }
            PlaneOp::Pointwise(op) if *op != Pointwise::Sum => each(&|v| op.variance(&[v])),
            PlaneOp::Pointwise(_) => {
                let mut sum = vec![0.0; maps[op.inputs[0]].len()];
                for &input in &op.inputs {
                    sum.iter_mut().zip(&maps[input]).for_each(|(sum, v)| *sum += v);
                }
                sum
            }
            PlaneOp::Pooled(_) => vec![],
        }
    }
}

impl Plan {
    /// Whether float32 cannot compute what has these variances: it holds products of standard deviations down to 1e-38, and a defect
    /// is some 1e-7 of them. A part that faint does not show, unless some op forgets sizes (a sign, a normalisation).
    pub fn is_faint(&self, variances: &[f64]) -> bool {
        let faint = |v: &f64| *v > 0.0 && *v < FAINT;
        let forgets =
            |op: &Pointwise| matches!(op, Pointwise::Normalize(_) | Pointwise::Dual(Activation::Sign));
        let largest = variances.iter().fold(0.0, |largest: f64, v| largest.max(*v));
        let mut ops = self.stages.iter().flat_map(|stage| stage.ops.pointwise());
        faint(&largest) || (variances.iter().any(faint) && ops.any(forgets))
    }

    /// m(T): the mean over the window of a stage's local pool of s before it, times √scale. Nothing without a local pool.
    pub fn pool_means(&self, source: usize, variances: &Variances) -> Vec<f64> {
        let stage = &self.stages[source];
        let Sink::LocalPool { window, scale } = &stage.sink else { return vec![] };
        let v = &variances[source][stage.ops.len() - 1];
        let weight = scale.sqrt() / window.area() as f64;
        let sums = window_sums(window, stage.last().at.extent, stage.output, |t| v[t].sqrt());
        sums.into_iter().map(|x| weight * x).collect()
    }

    /// v behind a stage's local pool, from what it makes of the sample with itself at offset 0: K, or the defect ū of K = m² − ū.
    pub fn pooled_variances(
        &self,
        source: usize,
        variances: &Variances,
        pooled: impl IntoIterator<Item = f64>,
    ) -> Vec<f64> {
        if !self.stages[source].pools_defects() {
            return pooled.into_iter().collect();
        }
        let means = self.pool_means(source, variances);
        // A window whose values cancel leaves rounding alone. (What is not a number stays none.)
        let left = |(m, u): (&f64, f64)| {
            let v = m * m - u;
            if v < CANCELLED * m * m { 0.0 } else { v }
        };
        means.iter().zip(pooled).map(left).collect()
    }
}

/// α = (m² − v)/m² in [0, 1]: the share of m² that a local pool loses, 0 of nothing; of what is not a number, not a number.
pub fn pool_loss(mean: f64, variance: f64) -> f64 {
    let square = mean * mean;
    if mean == 0.0 { 0.0 } else { ((square - variance) / square).clamp(0.0, 1.0) }
}

/// 1/s, 0 where s = 0; of what is not a number, not a number.
pub fn inverse_std(variance: f64) -> f64 {
    if variance == 0.0 { 0.0 } else { variance.sqrt().recip() }
}

/// For each output position the sum of `map` over the input positions under the window.
fn window_sums(
    window: &Window,
    extent: [usize; 2],
    output: [usize; 2],
    map: impl Fn(usize) -> f64,
) -> Vec<f64> {
    let [rows, cols] = [0, 1].map(|axis| -> Vec<Vec<usize>> {
        (0..output[axis]).map(|index| window.taps(extent, axis, index).flatten().collect()).collect()
    });
    let mut sums = Vec::with_capacity(output[0] * output[1]);
    for row in &rows {
        for col in &cols {
            let of_row = |r: &usize| col.iter().map(|c| map(r * extent[1] + c)).sum::<f64>();
            sums.push(row.iter().map(of_row).sum());
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Conv, GlobalPool, Input, KernelSet, Network, Padding, Pool};

    /// A plan of two stages, and the variances of its first one for the image 1, 2, 3, 4 (two channels with the same values).
    fn pooled() -> (Plan, Variances) {
        let network = Network::builder(Input::Image { height: 2, width: 2, channels: 2 })
            .layer(Conv::new([1, 2]).padding(Padding::Same).w_std(2.0).b_std(1.0))
            .layer(Activation::Relu)
            .layer(Pool::mean([2, 2]))
            .layer(Conv::new([1, 1]))
            .layer(Activation::Relu)
            .layer(GlobalPool::mean())
            .build()
            .expect("a network");
        let plan = Plan::new(&network, KernelSet::Both).expect("a plan");
        let numbers: Vec<f64> = [1.0, 2.0, 3.0, 4.0].iter().flat_map(|x| [*x; 2]).collect();
        let mut maps: Vec<Vec<f64>> = vec![];
        for index in 0..plan.stages[0].ops.len() {
            maps.push(plan.stages[0].variances(index, (&numbers, 2), &maps));
        }
        (plan, vec![maps])
    }

    #[test]
    fn from_pixels_to_a_pool() {
        let (plan, variances) = pooled();
        assert_eq!(variances[0][0], [1.0, 4.0, 9.0, 16.0]);
        // 4·(v + v of the right neighbour, or nothing)/2 + 1, and half of it behind the ReLU.
        let last = variances[0].last().expect("ops");
        assert_eq!(last, &[5.5, 4.5, 25.5, 16.5]);
        let mean = last.iter().map(|v| v.sqrt()).sum::<f64>() / 4.0;
        let [found] = plan.pool_means(0, &variances)[..] else { panic!("one position") };
        assert!((found - mean).abs() < 1e-15);
        let behind = plan.pooled_variances(0, &variances, [0.25]);
        assert!(plan.stages[0].pools_defects());
        assert!((behind[0] - (mean * mean - 0.25)).abs() < 1e-14);
        // What cancels leaves no variance.
        for left in [1e-15, 0.0, -1e-15] {
            assert_eq!(plan.pooled_variances(0, &variances, [mean * mean * (1.0 - left)]), [0.0]);
        }
    }

    #[test]
    fn losses_and_inverses_exist_at_zero() {
        assert_eq!([pool_loss(0.0, 0.0), pool_loss(2.0, 3.0), pool_loss(1.0, 1.0 + 1e-16)], [0.0, 0.25, 0.0]);
        assert_eq!([inverse_std(0.0), inverse_std(4.0)], [0.0, 0.5]);
        assert!(
            inverse_std(f64::NAN).is_nan()
                && pool_loss(f64::NAN, 1.0).is_nan()
                && pool_loss(1.0, f64::NAN).is_nan()
        );
        let (plan, mut variances) = pooled();
        variances[0].iter_mut().flatten().for_each(|v| *v = f64::NAN);
        assert!(plan.pooled_variances(0, &variances, [0.25])[0].is_nan());
    }
}
