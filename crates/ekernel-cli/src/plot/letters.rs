//! Texts in letters that the built-in font has.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef};
use plotters::style::IntoFont;

/// The family that every text asks for; its outlines are built in, so that plots need no fonts of the system.
pub(super) const FONT: &str = "sans-serif";

/// The text as PNGs show it: letters that the built-in font lacks are written in Latin ones.
pub(crate) fn in_letters(text: &str) -> String {
    static OUTLINES: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
    let font = OUTLINES.get_or_init(|| FontRef::try_from_slice(dejavu::sans::regular()).ok());
    let Some(font) = font else { return text.to_owned() };
    let mut written = String::new();
    for c in text.chars() {
        if font.glyph_id(c).0 != 0 || c.is_control() {
            written.push(c);
        } else {
            written += deunicode::deunicode_char(c).unwrap_or("?");
        }
    }
    written.trim_end().to_owned()
}

/// How long a text is on paper, in the letters of an SVG or of a PNG, whichever are longer.
pub(super) fn length(text: &str, size: i32) -> anyhow::Result<i32> {
    let mut longest = 0;
    for text in [text, &in_letters(text)] {
        let (width, _) = (FONT, size).into_font().box_size(text)?;
        longest = longest.max(i32::try_from(width)?);
    }
    Ok(longest)
}

/// A text of at most `limit` letters; what is cut off leaves its mark.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_the_font_lacks_are_latin() {
        assert_eq!(in_letters("cat, Öl, σ² ± 2, Ж"), "cat, Öl, σ² ± 2, Ж");
        assert_eq!(in_letters("猫"), "Mao");
        assert_eq!(in_letters("高粱 3"), "Gao Liang  3".trim_end());
        assert!(in_letters("カ").is_ascii());
    }

    #[test]
    fn cut_names_end_in_an_ellipsis() {
        assert_eq!(shortened("fourteen chars", 14), "fourteen chars");
        assert_eq!(shortened("fifteen  letters", 14), "fifteen  lett…");
        assert_eq!(shortened("adipose tissue of the skin", 9), "adipose…");
        assert_eq!(in_letters("…"), "…");
    }
}
