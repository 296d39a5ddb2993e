//! Learning curves: score against the number of training samples, with error bars.

use std::path::Path;

use plotters::{
    coord::{
        Shift,
        ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter},
        types::RangedCoordf64,
    },
    prelude::*,
};

use super::canvas::{COLOURS, FONT, Picture, save};

/// What is drawn.
pub(crate) struct Curves {
    pub(crate) title: String,
    /// What is counted.
    pub(crate) x: String,
    /// Name and unit of the score.
    pub(crate) y: String,
    /// Whether the score's axis is logarithmic; all scores are positive then.
    pub(crate) logarithmic: bool,
    pub(crate) lines: Vec<Line>,
}

/// One network.
pub(crate) struct Line {
    pub(crate) name: String,
    /// n, score and its standard deviation where it is known.
    pub(crate) points: Vec<(usize, f64, Option<f64>)>,
}

/// Draws learning curves to an .svg or .png file.
pub(crate) fn draw(path: &Path, curves: &Curves) -> anyhow::Result<()> {
    save(path, (800, 520), curves)
}

impl Curves {
    fn points(&self) -> impl Iterator<Item = &(usize, f64, Option<f64>)> {
        self.lines.iter().flat_map(|line| &line.points)
    }

    /// Where a score stands on its axis: itself, or its logarithm.
    fn height(&self, score: f64) -> f64 {
        if self.logarithmic { score.max(SMALLEST).ln() } else { score }
    }

    /// Lowest and highest point with its error bar, and a little room.
    fn scores(&self) -> Scores {
        let ends = self.points().flat_map(|(_, y, std)| [y - std.unwrap_or(0.0), y + std.unwrap_or(0.0)]);
        let (low, high) = ends
            .map(|end| self.height(end))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| (low.min(y), high.max(y)));
        let room = ((high - low) * 0.08).max(high.abs() * 1e-3).max(1e-12);
        Scores { range: low - room..high + room, logarithmic: self.logarithmic }
    }
}

/// What a logarithmic axis shows of a score, or an end of an error bar, that is not positive.
const SMALLEST: f64 = 1e-6;

/// The axis of scores, at heights.
struct Scores {
    range: std::ops::Range<f64>,
    logarithmic: bool,
}

impl Ranged for Scores {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn range(&self) -> std::ops::Range<f64> {
        self.range.clone()
    }

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    /// Of a logarithmic axis 1, 2 and 5 times powers of ten; of one of less than a decade round numbers.
    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if !self.logarithmic {
            return RangedCoordf64::from(self.range.clone()).key_points(hint);
        }
        let (low, high) = (self.range.start.exp(), self.range.end.exp());
        if high < 10.0 * low {
            let round = RangedCoordf64::from(low..high).key_points(hint);
            return round.into_iter().map(f64::ln).collect();
        }
        let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
        decades
            .flat_map(|decade| [1.0, 2.0, 5.0].map(|digit: f64| (digit * 10f64.powi(decade)).ln()))
            .filter(|tick| self.range.contains(tick))
            .collect()
    }
}

impl ValueFormatter<f64> for Scores {
    fn format_ext(&self, value: &f64) -> String {
        if self.logarithmic {
            return crate::words::number(value.exp());
        }
        <RangedCoordf64 as ValueFormatter<f64>>::format(value)
    }
}

/// A logarithmic axis of numbers of samples, drawn at ln n; those that were measured are its ticks.
struct Sizes {
    ticks: Vec<f64>,
    room: f64,
}

impl Sizes {
    /// Of at least one size, in rising order.
    fn new(sizes: Vec<usize>) -> Sizes {
        let ticks: Vec<f64> = sizes.into_iter().map(|n| (n as f64).ln()).collect();
        let room = (0.04 * (ticks[ticks.len() - 1] - ticks[0])).max(0.05);
        Sizes { ticks, room }
    }
}

impl Ranged for Sizes {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn range(&self) -> std::ops::Range<f64> {
        self.ticks[0] - self.room..self.ticks[self.ticks.len() - 1] + self.room
    }

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let range = self.range();
        let share = (value - range.start) / (range.end - range.start);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }
}

impl ValueFormatter<f64> for Sizes {
    fn format_ext(&self, value: &f64) -> String {
        format!("{:.0}", value.exp())
    }
}

impl Picture for Curves {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> anyhow::Result<()>
    where
        DB::ErrorType: 'static,
    {
        area.fill(&WHITE)?;
        let mut sizes: Vec<usize> = self.points().map(|(n, ..)| *n).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let x = Sizes::new(sizes);
        let (room, at) = (x.room, |n: usize| (n as f64).ln());
        // Scores rise, errors fall: the legend is where the curves are not.
        let legend =
            if self.logarithmic { SeriesLabelPosition::LowerLeft } else { SeriesLabelPosition::LowerRight };
        let mut chart = ChartBuilder::on(area)
            .caption(&self.title, (FONT, 20))
            .margin(12)
            .x_label_area_size(48)
            .y_label_area_size(64)
            .build_cartesian_2d(x, self.scores())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .x_desc(self.x.as_str())
            .y_desc(self.y.as_str())
            .axis_desc_style((FONT, 16))
            .label_style((FONT, 14))
            .draw()?;
        for (line, &colour) in self.lines.iter().zip(COLOURS.iter().cycle()) {
            let dots: Vec<(f64, f64)> =
                line.points.iter().map(|&(n, y, _)| (at(n), self.height(y))).collect();
            chart
                .draw_series(LineSeries::new(dots.clone(), colour.stroke_width(2)))?
                .label(line.name.as_str())
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 20, y)], colour.stroke_width(2)));
            chart.draw_series(dots.iter().map(|&dot| Circle::new(dot, 4, colour.filled())))?;
            for &(n, y, std) in &line.points {
                let Some(std) = std else { continue };
                let ends = [self.height(y - std), self.height(y + std)];
                chart.draw_series([PathElement::new(ends.map(|end| (at(n), end)).to_vec(), colour)])?;
                for end in ends {
                    let cap = 0.1 * room;
                    chart.draw_series([PathElement::new(
                        vec![(at(n) - cap, end), (at(n) + cap, end)],
                        colour,
                    )])?;
                }
            }
        }
        chart
            .configure_series_labels()
            .position(legend)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.3))
            .label_font((FONT, 14))
            .draw()?;
        Ok(())
    }
}
