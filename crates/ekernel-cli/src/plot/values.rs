//! Predicted values: against the true ones, or with one feature over it.

use std::path::Path;

use plotters::{coord::Shift, prelude::*};

use super::{
    canvas::{COLOURS, Picture, register, save},
    legend::{self, Entry, Mark},
    letters::FONT,
};

/// What is drawn.
pub(crate) struct Values {
    pub(crate) title: String,
    pub(crate) x: String,
    pub(crate) y: String,
    /// One for each output.
    pub(crate) outputs: Vec<Dots>,
    pub(crate) shape: Shape,
}

/// How dots are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// True values below, predicted ones beside, and the line on which they are equal.
    Against,
    /// A feature below, true values as dots, predictions as a line with their band.
    Over,
}

/// The samples of one output.
pub(crate) struct Dots {
    pub(crate) name: String,
    /// The number below, the true value (NaN where it is not known), the prediction and its standard deviation where it is
    /// known; of a line, in rising order of the number below.
    pub(crate) points: Vec<(f64, f64, f64, Option<f64>)>,
    /// Of a line, the feature and the value of each training sample.
    pub(crate) training: Vec<(f64, f64)>,
}

/// The colour of data beside a line of predictions.
const DATA: RGBColor = RGBColor(90, 90, 90);

/// Draws values to an .svg or .png file.
pub(crate) fn draw(path: &Path, values: &Values) -> anyhow::Result<()> {
    register()?;
    save(path, (640 + legend::width(&values.legend())?.unsigned_abs(), 560), values)
}

impl Values {
    fn points(&self) -> impl Iterator<Item = &(f64, f64, f64, Option<f64>)> {
        self.outputs.iter().flat_map(|output| &output.points)
    }

    fn training(&self) -> impl Iterator<Item = &(f64, f64)> {
        self.outputs.iter().flat_map(|output| &output.training)
    }

    /// The names of several outputs, and of the data beside a line.
    fn legend(&self) -> Vec<Entry<'_>> {
        let mark = if self.shape == Shape::Over { Mark::Line } else { Mark::Dot };
        let mut entries = Vec::new();
        if self.outputs.len() > 1 {
            let outputs = self.outputs.iter().zip(COLOURS.iter().cycle());
            entries.extend(outputs.map(|(output, &colour)| Entry { name: &output.name, colour, mark }));
        }
        if self.shape == Shape::Over {
            entries.push(Entry { name: "training data", colour: DATA, mark: Mark::Ring });
            if self.points().any(|point| !point.1.is_nan()) {
                entries.push(Entry { name: "test data", colour: DATA, mark: Mark::Dot });
            }
        }
        entries
    }

    /// From the least to the largest of some numbers, and a little room.
    fn range(numbers: impl Iterator<Item = f64>) -> std::ops::Range<f64> {
        let (low, high) =
            numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        let room = ((high - low) * 0.05).max(high.abs() * 1e-3).max(1e-12);
        low - room..high + room
    }
}

impl Picture for Values {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> anyhow::Result<()>
    where
        DB::ErrorType: 'static,
    {
        area.fill(&WHITE)?;
        let ends = |&(_, truth, mean, std): &(f64, f64, f64, Option<f64>)| {
            let reach = 2.0 * std.unwrap_or(0.0);
            [truth, mean - reach, mean + reach]
        };
        let vertical =
            Values::range(self.points().flat_map(ends).chain(self.training().map(|point| point.1)));
        let horizontal =
            Values::range(self.points().map(|point| point.0).chain(self.training().map(|point| point.0)));
        let entries = self.legend();
        let (area, strip) = area.split_horizontally(area.dim_in_pixel().0 as i32 - legend::width(&entries)?);
        let mut chart = ChartBuilder::on(&area)
            .caption(&self.title, (FONT, 18))
            .margin(12)
            .margin_right(24)
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d(horizontal.clone(), vertical.clone())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .x_labels(7)
            .y_labels(7)
            .x_desc(self.x.as_str())
            .y_desc(self.y.as_str())
            .axis_desc_style((FONT, 16))
            .label_style((FONT, 14))
            .x_label_formatter(&|x| crate::words::tick(*x))
            .y_label_formatter(&|y| crate::words::tick(*y))
            .draw()?;
        if self.shape == Shape::Against {
            let [low, high] = [horizontal.start.max(vertical.start), horizontal.end.min(vertical.end)];
            chart.draw_series(LineSeries::new([(low, low), (high, high)], BLACK.mix(0.4)))?;
        }
        for (output, &colour) in self.outputs.iter().zip(COLOURS.iter().cycle()) {
            match self.shape {
                Shape::Against => {
                    for &(x, _, mean, std) in &output.points {
                        if let Some(std) = std {
                            let bar = vec![(x, mean - 2.0 * std), (x, mean + 2.0 * std)];
                            chart.draw_series([PathElement::new(bar, colour.mix(0.35))])?;
                        }
                    }
                    let dots = output
                        .points
                        .iter()
                        .map(|&(x, _, mean, _)| Circle::new((x, mean), 3, colour.filled()));
                    chart.draw_series(dots)?;
                }
                Shape::Over => {
                    let edge = |sign: f64| {
                        output
                            .points
                            .iter()
                            .filter_map(move |&(x, _, mean, std)| Some((x, mean + sign * 2.0 * std?)))
                    };
                    let band: Vec<(f64, f64)> =
                        edge(1.0).chain(edge(-1.0).collect::<Vec<_>>().into_iter().rev()).collect();
                    if !band.is_empty() {
                        chart.draw_series([Polygon::new(band, colour.mix(0.2))])?;
                    }
                    let line = output.points.iter().map(|&(x, _, mean, _)| (x, mean));
                    chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?;
                    let rings = output.training.iter().map(|&at| Circle::new(at, 3, DATA));
                    chart.draw_series(rings)?;
                    let known = output.points.iter().filter(|point| !point.1.is_nan());
                    let dots = known.map(|&(x, truth, ..)| Circle::new((x, truth), 3, DATA.filled()));
                    chart.draw_series(dots)?;
                }
            }
        }
        legend::draw(&strip, &entries)
    }
}
