//! Cases in words that can be computed again.

use std::fmt::Write;

use ekernel_core::Samples;

use crate::Case;

/// Entries up to which samples are printed.
const MOST: usize = 400;

/// The architecture file, and the samples with all digits where they are few.
pub(crate) fn case(case: &Case) -> String {
    format!("\n{}\n{}", case.network.to_toml(), samples(&case.samples))
}

fn samples(samples: &Samples) -> String {
    let (shape, rows): (&[usize], Vec<Vec<f64>>) = match samples {
        Samples::Vectors(x) => (x.shape(), x.outer_iter().map(|x| x.iter().copied().collect()).collect()),
        Samples::Images(x) | Samples::Spheres(x) => {
            (x.shape(), x.outer_iter().map(|x| x.iter().copied().collect()).collect())
        }
        Samples::Molecules(molecules) => return format!("# samples: {molecules:?}\n"),
    };
    let mut text = format!("# samples of shape {shape:?}:\n");
    if shape.iter().product::<usize>() <= MOST {
        for row in rows {
            writeln!(text, "# {row:?}").expect("a string takes all");
        }
    }
    text
}
