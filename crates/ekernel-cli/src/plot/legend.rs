//! The names of lines in a strip beside a plot, so that they never cover a point.

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::canvas::{COLOURS, FONT};

/// Sizes, in pixels.
const TOP: i32 = 60;
const ROW: i32 = 22;
const LINE: i32 = 24;
const TEXT: i32 = 14;

/// The strip that these names need.
pub(super) fn width<'a>(names: impl IntoIterator<Item = &'a str>) -> anyhow::Result<i32> {
    let mut longest = 0;
    for name in names {
        longest = longest.max(i32::try_from((FONT, TEXT).into_font().box_size(name)?.0)?);
    }
    Ok(longest + LINE + 18)
}

/// Draws the names with the colours of their lines, in order.
pub(super) fn draw<'a, DB: DrawingBackend>(
    strip: &DrawingArea<DB, Shift>,
    names: impl IntoIterator<Item = &'a str>,
) -> anyhow::Result<()>
where
    DB::ErrorType: 'static,
{
    for (row, (name, &colour)) in names.into_iter().zip(COLOURS.iter().cycle()).enumerate() {
        let y = TOP + ROW * row as i32;
        strip.draw(&PathElement::new(vec![(0, y), (LINE, y)], colour.stroke_width(2)))?;
        strip.draw(&Circle::new((LINE / 2, y), 4, colour.filled()))?;
        let text = (FONT, TEXT).into_font().color(&BLACK).pos(Pos::new(HPos::Left, VPos::Center));
        strip.draw_text(name, &text, (LINE + 6, y))?;
    }
    Ok(())
}
