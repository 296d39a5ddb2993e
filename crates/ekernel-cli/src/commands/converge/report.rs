//! What was found: a file, a figure, a table.

use std::path::Path;

use ekernel_data::{Output, write_npz};
use ekernel_experiment::Kind;
use ndarray::{Array1, Array2, Array3, Axis, stack};
use serde_json::json;

use super::{
    measured::{Fit, Measured},
    pieces::Piece,
};
use crate::{
    architecture::Architecture,
    output,
    plot::curves::{self, Curves, Line, Tick},
    table::Table,
    words::number,
};

/// One kernel at all widths.
pub(super) struct Series {
    pub(super) kind: Kind,
    pub(super) measured: Vec<Measured>,
    pub(super) kernels: Vec<Piece>,
    /// The exact kernel at each width.
    pub(super) exact: Vec<Array2<f64>>,
}

impl Series {
    pub(super) fn new(kind: Kind) -> Series {
        Series { kind, measured: Vec::new(), kernels: Vec::new(), exact: Vec::new() }
    }

    fn title(&self) -> String {
        self.kind.name().to_uppercase()
    }
}

/// All that was found.
pub(super) struct Outcome<'a> {
    pub(super) architecture: &'a Architecture,
    /// What the samples are called.
    pub(super) samples: String,
    pub(super) networks: usize,
    pub(super) seed: u32,
    pub(super) series: Vec<Series>,
}

impl Outcome<'_> {
    fn facts(&self) -> serde_json::Value {
        json!({
            "program": output::PROGRAM,
            "name": self.architecture.name,
            "architecture": self.architecture.network.to_toml(),
            "x": self.samples,
            "networks": self.networks,
            "seed": self.seed,
        })
    }

    /// Stores errors and kernels; docs/files.md lists the arrays.
    pub(super) fn write(&self, out: &Path) -> anyhow::Result<()> {
        let widths: Array1<i64> =
            self.series.first().map_or(&[][..], |s| &s.measured).iter().map(|m| m.width as i64).collect();
        let mut columns: Vec<(String, Array1<f64>)> = Vec::new();
        let mut matrices: Vec<(String, Array3<f64>)> = Vec::new();
        for series in &self.series {
            let name = series.kind.name();
            let column = |of: fn(&Measured) -> f64| series.measured.iter().map(of).collect();
            columns.push((format!("{name}_relative"), column(|m| m.error)));
            columns
                .push((format!("{name}_relative_error"), column(|m| m.standard_error.unwrap_or(f64::NAN))));
            let views: [Vec<_>; 3] = [
                series.kernels.iter().map(|piece| piece.mean.view()).collect(),
                series.kernels.iter().map(|piece| piece.error.view()).collect(),
                series.exact.iter().map(|exact| exact.view()).collect(),
            ];
            for (name, views) in
                [name.to_owned(), format!("{name}_error"), format!("{name}_exact")].into_iter().zip(views)
            {
                matrices.push((name, stack(Axis(0), &views)?));
            }
        }
        let metadata = self.facts().to_string();
        let mut arrays: Vec<(&str, Output<'_>)> = vec![("widths", (&widths).into())];
        arrays.extend(columns.iter().map(|(name, array)| (name.as_str(), array.into())));
        arrays.extend(matrices.iter().map(|(name, array)| (name.as_str(), array.into())));
        arrays.push(("metadata", metadata.as_str().into()));
        Ok(write_npz(out, &arrays)?)
    }

    /// Draws errors with their bars, and a line of slope −1 through the first error of the last kernel.
    pub(super) fn draw(&self, plot: &Path) -> anyhow::Result<()> {
        let mut lines: Vec<Line> = self
            .series
            .iter()
            .map(|series| {
                let point = |m: &Measured| (m.width as f64, m.error, m.standard_error);
                let slope = Fit::of(&series.measured)
                    .map(|fit| format!(": slope {:.2}", fit.slope).replace('-', "−"));
                let name = format!("{}{}", series.title(), slope.unwrap_or_default());
                Line { name, points: series.measured.iter().map(point).collect() }
            })
            .collect();
        let measured = self.series.last().map_or(&[][..], |series| &series.measured);
        if let Some(first) = measured.first() {
            let at = |m: &Measured| {
                let width = m.width as f64;
                (width, first.error * first.width as f64 / width, None)
            };
            lines.push(Line { name: "slope −1".to_owned(), points: measured.iter().map(at).collect() });
        }
        let curves = Curves {
            title: format!("{}: {} sampled networks of each width", self.architecture.name, self.networks),
            x: "width".to_owned(),
            ticks: measured.iter().map(|m| Tick { at: m.width as f64, name: m.width.to_string() }).collect(),
            y: "mean relative error of the kernel".to_owned(),
            logarithmic: true,
            lines,
        };
        curves::draw(plot, &curves)
    }

    /// Prints a table, or JSON.
    pub(super) fn print(&self, as_json: bool) -> anyhow::Result<()> {
        let fits: Vec<(&Series, Option<Fit>)> =
            self.series.iter().map(|series| (series, Fit::of(&series.measured))).collect();
        if as_json {
            let mut facts = self.facts();
            for (series, fit) in fits {
                facts[series.kind.name()] = json!({ "widths": series.measured, "fit": fit });
            }
            return output::print_json(&facts);
        }
        let mut header = vec!["width".to_owned()];
        for series in &self.series {
            header.extend([series.title(), "± error".to_owned(), "by chance".to_owned()]);
        }
        let mut table = Table::new(header.iter().map(String::as_str));
        let widths = self.series.first().map_or(0, |series| series.measured.len());
        for i in 0..widths {
            let mut row = vec![self.series[0].measured[i].width.to_string()];
            for m in self.series.iter().map(|series| &series.measured[i]) {
                let bar = m.standard_error.map_or_else(String::new, number);
                let chance = if m.chance.is_nan() { String::new() } else { number(m.chance) };
                row.extend([number(m.error), bar, chance]);
            }
            table.row(row);
        }
        let slopes: Vec<String> = fits
            .iter()
            .filter_map(|(series, fit)| {
                let fit = fit.as_ref()?;
                let bar = fit.standard_error.map_or_else(String::new, |bar| format!(" ± {bar:.2}"));
                Some(format!("{} {:.2}{bar}", series.title(), fit.slope))
            })
            .collect();
        let slopes = match &slopes[..] {
            [] => String::new(),
            slopes => format!("slope of ln error over ln width: {}\n", slopes.join(", ")),
        };
        output::print(&format!(
            "{} on {}: mean relative error of the kernels of {} networks of each width\n\n{table}\n{slopes}",
            self.architecture.name, self.samples, self.networks
        ))
    }
}
