//! How long the direct solve takes: the NTK of a two-layer ReLU network on random unit vectors, ridge 1e-4, ten outputs.
//!
//! `cargo run --release -p ekernel-predict --example solve -- 10000 2` (samples, threads). With `repeated` as a third word the
//! last sample repeats the first and there is no ridge, to see what the refusal says and costs.
#![expect(clippy::print_stdout, reason = "the figures are what this program is for")]

use std::{f64::consts::PI, time::Instant};

use anyhow::{Context, Result};
use ekernel_predict::{KernelMachine, Par, Ridge, TrainingTime};
use ndarray::{Array1, Array2, Axis, s};

const WIDTH: usize = 32;
const OUTPUTS: usize = 10;
const TEST: usize = 1000;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise| {
        words.get(at).map_or(Ok(otherwise), |word| word.parse::<usize>().with_context(|| format!("{word:?}")))
    };
    let (n, threads) = (number(0, 10_000)?, number(1, 2)?);
    let repeated = words.get(2).is_some_and(|word| word == "repeated");
    let par = if threads == 1 { Par::Seq } else { Par::rayon(threads) };

    let mut vectors = unit_vectors(n + TEST);
    if repeated {
        let first = vectors.row(0).to_owned();
        vectors.row_mut(n - 1).assign(&first);
    }
    let (train, test) = vectors.view().split_at(Axis(0), n);
    let targets = train.slice(s![.., ..OUTPUTS]).mapv(|x| if x > 0.0 { 1.0 } else { -1.0 });
    let kernel = train.dot(&train.t()).mapv_into(ntk);
    let cross = test.dot(&train.t()).mapv_into(ntk);
    println!("{n} samples, {OUTPUTS} outputs, {threads} threads, kernel of {} MB", n * n * 8 / 1_000_000);

    let start = Instant::now();
    if repeated
        && let Err(refusal) = KernelMachine::new(kernel.view(), Ridge::NONE, TrainingTime::INFINITE, par)
    {
        println!("{refusal}\nrefused after          {:8.3} s", start.elapsed().as_secs_f64());
        return Ok(());
    }
    let machine = KernelMachine::new(kernel.view(), Ridge::Relative(1e-4), TrainingTime::INFINITE, par)?;
    let factored = start.elapsed();
    let rate = (n as f64).powi(3) / 3.0 / factored.as_secs_f64() / 1e9;
    println!("check, copy and factor  {:8.3} s  ({rate:.1} Gflop/s)", factored.as_secs_f64());

    let start = Instant::now();
    let fit = machine.fit(targets.view())?;
    println!("solve                   {:8.3} s", start.elapsed().as_secs_f64());

    let start = Instant::now();
    let mean = fit.mean(cross.view())?;
    println!("mean of {TEST} tests      {:8.3} s", start.elapsed().as_secs_f64());

    let start = Instant::now();
    let variance = fit.posterior_variance(cross.view(), Array1::from_elem(TEST, ntk(1.0)).view())?;
    println!("variance of {TEST} tests  {:8.3} s", start.elapsed().as_secs_f64());

    let residual = kernel.dot(&fit.weights()) + &fit.weights() * machine.ridge() - &targets;
    println!("largest residual        {:8.1e}", residual.iter().fold(0.0_f64, |worst, r| worst.max(r.abs())));
    let right =
        mean.iter().zip(test.slice(s![.., ..OUTPUTS])).filter(|(m, x)| (**m > 0.0) == (**x > 0.0)).count();
    println!("signs predicted right   {:8.3}", right as f64 / mean.len() as f64);
    println!("largest variance        {:8.3}", variance.iter().fold(0.0_f64, |largest, v| largest.max(*v)));
    Ok(())
}

/// Rows of length 1 with entries from a multiplicative congruential generator.
fn unit_vectors(samples: usize) -> Array2<f64> {
    let mut state = 1_u64;
    let mut vectors = Array2::from_shape_simple_fn((samples, WIDTH), || {
        state = state.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(1);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    });
    for mut row in vectors.rows_mut() {
        let length = row.dot(&row).sqrt();
        row /= length;
    }
    vectors
}

/// Θ of Dense, ReLU, Dense at the cosine between two unit vectors.
fn ntk(cosine: f64) -> f64 {
    let cosine = cosine.clamp(-1.0, 1.0);
    let (angle, sine) = (cosine.acos(), (1.0 - cosine * cosine).sqrt());
    (sine + 2.0 * (PI - angle) * cosine) / (2.0 * PI)
}
