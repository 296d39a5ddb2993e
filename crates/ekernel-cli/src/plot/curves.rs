//! Curves: score against the number of training samples or the training time, with error bars.

use std::path::Path;

use plotters::{
    coord::{
        Shift,
        ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter},
        types::RangedCoordf64,
    },
    prelude::*,
};

use super::{
    canvas::{COLOURS, Picture, register, save},
    legend::{self, Entry, Mark},
    letters::FONT,
};

/// What is drawn.
pub(crate) struct Curves {
    pub(crate) title: String,
    /// What stands on the axis below, logarithmic.
    pub(crate) x: String,
    /// The places on it that are named, in rising order.
    pub(crate) ticks: Vec<Tick>,
    /// Name and unit of the score.
    pub(crate) y: String,
    /// Whether the score's axis is logarithmic; all scores are positive then.
    pub(crate) logarithmic: bool,
    pub(crate) lines: Vec<Line>,
}

/// A place on the axis below.
pub(crate) struct Tick {
    /// A number above 0.
    pub(crate) at: f64,
    pub(crate) name: String,
}

/// One network.
pub(crate) struct Line {
    pub(crate) name: String,
    /// The number below, score and its standard deviation where it is known.
    pub(crate) points: Vec<(f64, f64, Option<f64>)>,
}

/// Draws learning curves to an .svg or .png file.
pub(crate) fn draw(path: &Path, curves: &Curves) -> anyhow::Result<()> {
    register()?;
    save(path, (width(&curves.lines)?, 520), curves)
}

impl Curves {
    fn points(&self) -> impl Iterator<Item = &(f64, f64, Option<f64>)> {
        self.lines.iter().flat_map(|line| self.shown(line))
    }

    /// The points that the axis can show: numbers, on a logarithmic axis above 0.
    fn shown<'a>(&self, line: &'a Line) -> impl Iterator<Item = &'a (f64, f64, Option<f64>)> {
        let logarithmic = self.logarithmic;
        line.points.iter().filter(move |(_, y, _)| y.is_finite() && (!logarithmic || *y > 0.0))
    }

    /// Where a score stands on its axis: itself, or its logarithm.
    fn height(&self, score: f64) -> f64 {
        if self.logarithmic { score.max(self.floor()).ln() } else { score }
    }

    /// The least that a logarithmic axis shows: error bars that reach further down, to 0 or below, end there.
    fn floor(&self) -> f64 {
        let least = self.points().map(|point| point.1).fold(f64::INFINITY, f64::min);
        if least.is_finite() { least / BELOW } else { 1.0 }
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

/// By what factor an error bar may reach below the least score on a logarithmic axis.
const BELOW: f64 = 2.0;

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
        crate::words::tick(if self.logarithmic { value.exp() } else { *value })
    }
}

/// A logarithmic axis, drawn at the logarithm; what was measured are its ticks.
struct Sizes<'a> {
    ticks: &'a [Tick],
    room: f64,
}

impl Sizes<'_> {
    /// Of at least one tick.
    fn new(ticks: &[Tick]) -> Sizes<'_> {
        let [first, last] = [&ticks[0], &ticks[ticks.len() - 1]].map(|tick| tick.at.ln());
        Sizes { ticks, room: (0.04 * (last - first)).max(0.05) }
    }
}

impl Ranged for Sizes<'_> {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn range(&self) -> std::ops::Range<f64> {
        let [first, last] = [&self.ticks[0], &self.ticks[self.ticks.len() - 1]].map(|tick| tick.at.ln());
        first - self.room..last + self.room
    }

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let range = self.range();
        let share = (value - range.start) / (range.end - range.start);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|tick| tick.at.ln()).collect()
    }
}

impl ValueFormatter<f64> for Sizes<'_> {
    fn format_ext(&self, value: &f64) -> String {
        let near = |tick: &&Tick| (tick.at.ln() - value).abs() < 1e-9;
        self.ticks.iter().find(near).map_or_else(String::new, |tick| tick.name.clone())
    }
}

impl Picture for Curves {
    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> anyhow::Result<()>
    where
        DB::ErrorType: 'static,
    {
        area.fill(&WHITE)?;
        if self.ticks.is_empty() || self.points().next().is_none() {
            return Ok(());
        }
        let x = Sizes::new(&self.ticks);
        let room = x.room;
        // The legend has a strip of its own, so that it never covers a point.
        let (area, beside) =
            area.split_horizontally(area.dim_in_pixel().0 as i32 - legend_width(&self.lines)?);
        let mut chart = ChartBuilder::on(&area)
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
        for (index, (line, &colour)) in self.lines.iter().zip(COLOURS.iter().cycle()).enumerate() {
            // Side by side, so that no bar hides another.
            let aside = 0.12 * room * (index as f64 - 0.5 * (self.lines.len() as f64 - 1.0));
            let at = |x: f64| x.ln() + aside;
            let dots: Vec<(f64, f64)> = self.shown(line).map(|&(n, y, _)| (at(n), self.height(y))).collect();
            chart.draw_series(LineSeries::new(dots.clone(), colour.stroke_width(2)))?;
            chart.draw_series(dots.iter().map(|&dot| Circle::new(dot, 4, colour.filled())))?;
            for &(n, y, std) in self.shown(line) {
                let Some(std) = std else { continue };
                let ends = [self.height(y - std), self.height(y + std)];
                chart.draw_series([PathElement::new(ends.map(|end| (at(n), end)).to_vec(), colour)])?;
                for end in ends {
                    let cap = 0.05 * room;
                    chart.draw_series([PathElement::new(
                        vec![(at(n) - cap, end), (at(n) + cap, end)],
                        colour,
                    )])?;
                }
            }
        }
        legend::draw(&beside, &entries(&self.lines))?;
        Ok(())
    }
}

fn entries(lines: &[Line]) -> Vec<Entry<'_>> {
    let colours = COLOURS.iter().cycle();
    let entry = lines.iter().zip(colours);
    entry.map(|(line, &colour)| Entry { name: &line.name, colour, mark: Mark::Line }).collect()
}

/// The strip of the legend.
fn legend_width(lines: &[Line]) -> anyhow::Result<i32> {
    legend::width(&entries(lines))
}

/// The width of a picture of these curves.
fn width(lines: &[Line]) -> anyhow::Result<u32> {
    Ok(760 + legend_width(lines)?.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves(logarithmic: bool) -> Curves {
        let line = |name: &str, scores: [f64; 3]| Line {
            name: name.to_owned(),
            points: [10.0, 100.0, 1000.0]
                .into_iter()
                .zip(scores)
                .map(|(n, y)| (n, y, Some(0.1 * y)))
                .collect(),
        };
        let ticks =
            ["10", "100", "1000"].map(|name| Tick { at: name.parse().unwrap(), name: name.to_owned() });
        Curves {
            title: "Learning curves".to_owned(),
            x: "training samples".to_owned(),
            ticks: ticks.into(),
            y: "RMSE".to_owned(),
            logarithmic,
            // One falls and one rises, so that no corner of the plot is free of points.
            lines: vec![
                line("falling", [3.0, 1.0, 0.2]),
                line("a network with a long name", [0.2, 1.0, 3.0]),
            ],
        }
    }

    /// The numbers of an attribute of the elements of a kind, in the order of the picture.
    fn attributes(svg: &str, element: &str, name: &str) -> Vec<f64> {
        let elements = svg.split('<').filter(|part| part.starts_with(element));
        let value = |part: &str| part.split_once(&format!(" {name}=\""))?.1.split('"').next()?.parse().ok();
        elements.filter_map(value).collect()
    }

    fn svg(curves: &Curves) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curves.svg");
        draw(&path, curves).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn the_legend_stands_right_of_all_points() {
        for logarithmic in [false, true] {
            let curves = curves(logarithmic);
            let at = attributes(&svg(&curves), "circle", "cx");
            let (points, legend) = at.split_at(6);
            assert_eq!(legend.len(), 2, "{at:?}");
            let strip =
                f64::from(width(&curves.lines).unwrap() as i32 - legend_width(&curves.lines).unwrap());
            assert!(points.iter().all(|x| *x < strip - 12.0) && legend.iter().all(|x| *x > strip), "{at:?}");
        }
    }

    #[test]
    fn error_bars_of_two_curves_stand_side_by_side() {
        let at = attributes(&svg(&curves(true)), "circle", "cx");
        for (one, other) in at[..3].iter().zip(&at[3..6]) {
            // Bars are a pixel wide, dots nine.
            assert!((2.0..9.0).contains(&(other - one)), "{at:?}");
        }
    }

    #[test]
    fn ticks_are_round() {
        let ticks = |scores: [f64; 2], logarithmic: bool| {
            let ends = scores.map(|score| if logarithmic { score.ln() } else { score });
            let axis = Scores { range: ends[0]..ends[1], logarithmic };
            let points = axis.key_points(plotters::coord::ranged1d::BoldPoints(10));
            points.iter().map(|at| axis.format_ext(at)).collect::<Vec<_>>()
        };
        assert_eq!(ticks([0.7, 300.0], true), ["1", "2", "5", "10", "20", "50", "100", "200"]);
        assert_eq!(ticks([13.0, 37.0], false)[..3], ["15", "20", "25"]);
        for shown in [ticks([0.31, 0.87], true), ticks([812.3, 1907.7], true), ticks([0.123, 0.987], false)] {
            assert!((3..=12).contains(&shown.len()), "{shown:?}");
            assert!(shown.iter().all(|tick| tick.len() <= 5), "{shown:?}");
        }
    }

    /// A bar that reaches 0 or below ends a little below the least score, and what is no number is left out.
    #[test]
    fn long_bars_do_not_stretch_a_logarithmic_axis() {
        let mut long = curves(true);
        long.lines[0].points[2].2 = Some(1.0);
        long.lines[1].points[0].1 = f64::NAN;
        long.lines[1].points[1].1 = 0.0;
        let range = long.scores().range;
        assert!(range.start.exp() > 0.2 / 3.0 && range.end.exp() < 5.0, "{range:?}");
        // Three dots and one, and two of the legend.
        assert_eq!(attributes(&svg(&long), "circle", "cy").len(), 6);
    }
}
