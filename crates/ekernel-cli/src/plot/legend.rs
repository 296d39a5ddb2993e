//! The names of lines and dots in a strip beside a plot, so that they never cover a point.

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::letters::{FONT, length};

/// Sizes, in pixels.
const TOP: i32 = 60;
const ROW: i32 = 22;
const LINE: i32 = 24;
const TEXT: i32 = 14;

/// A name and what it is of.
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) colour: RGBColor,
    pub(super) mark: Mark,
}

/// How something is drawn.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// A line through dots.
    Line,
    Dot,
    Ring,
}

/// The strip that these names need; none for none.
pub(super) fn width(entries: &[Entry<'_>]) -> anyhow::Result<i32> {
    let mut longest = 0;
    for entry in entries {
        longest = longest.max(length(entry.name, TEXT)?);
    }
    Ok(if entries.is_empty() { 0 } else { longest + LINE + 18 })
}

/// Draws the names and what they are of, in order.
pub(super) fn draw<DB: DrawingBackend>(
    strip: &DrawingArea<DB, Shift>,
    entries: &[Entry<'_>],
) -> anyhow::Result<()>
where
    DB::ErrorType: 'static,
{
    for (row, Entry { name, colour, mark }) in entries.iter().enumerate() {
        let y = TOP + ROW * row as i32;
        let dot = (LINE / 2, y);
        match mark {
            Mark::Line => {
                strip.draw(&PathElement::new(vec![(0, y), (LINE, y)], colour.stroke_width(2)))?;
                strip.draw(&Circle::new(dot, 4, colour.filled()))?;
            }
            Mark::Dot => strip.draw(&Circle::new(dot, 3, colour.filled()))?,
            Mark::Ring => strip.draw(&Circle::new(dot, 3, *colour))?,
        }
        let text = (FONT, TEXT).into_font().color(&BLACK).pos(Pos::new(HPos::Left, VPos::Center));
        strip.draw_text(name, &text, (LINE + 6, y))?;
    }
    Ok(())
}
