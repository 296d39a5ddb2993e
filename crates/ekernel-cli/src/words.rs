//! Numbers in words.

use ekernel_experiment::Work;

/// Three significant digits, the thousands spelled out.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 || size == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 1e-3 => format!("{value:.4}"),
        _ => format!("{value:.1e}"),
    }
}

/// A number on an axis, without digits that say nothing: `50`, `0.25`, `-3`.
pub(crate) fn tick(value: f64) -> String {
    match value.abs() {
        size if size != 0.0 && !(1e-3..1e6).contains(&size) => format!("{value:.1e}"),
        _ => format!("{}", (value * 1e6).round() / 1e6),
    }
}

/// A number and what is counted: `1 pair`, `2 pairs`, `80 200 pairs`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// A count of five digits or more in groups of three: `80 200`, `1 800 030 000`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the largest unit that leaves at least 1: `512 B`, `1.5 KiB`, `603 EiB`.
pub(crate) fn bytes(count: f64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut size = count;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    while size >= 1024.0
        && let Some(larger) = units.next()
    {
        size /= 1024.0;
        unit = Some(larger);
    }
    let digits = if size < 10.0 && size.fract() != 0.0 { 1 } else { 0 };
    format!("{size:.digits$} {}", unit.unwrap_or(&""))
}

/// Seconds of a year.
const YEAR: f64 = 365.25 * 86_400.0;

/// `under 1 ms`, `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 10 min`, `3 days 4 h`, `22.2 years`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match seconds {
        s if s < 5e-4 => "under 1 ms".to_owned(),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3600.0 => format!("{} min {} s", whole / 60, whole % 60),
        s if s < 48.0 * 3600.0 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        s if s < 2.0 * YEAR => format!("{} days {} h", whole / 86_400, whole % 86_400 / 3600),
        _ => format!("{} years", number(seconds / YEAR)),
    }
}

/// How long Gram matrices took.
pub(crate) fn work_line(work: Work) -> String {
    if work.pairs == 0 {
        return "no pair left to compute".to_owned();
    }
    let pairs = counted(work.pairs, "pair", "pairs");
    let speed = match work.pairs_per_second() {
        fast if (1e4..1e18).contains(&fast) => grouped(fast.round() as u64),
        slow => number(slow),
    };
    format!("{pairs} in {}, {speed} pairs/s", duration(work.seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        let written = [0.0, 1234.6, 56.78, 1.234, 0.0123, 1.2e-5].map(number);
        assert_eq!(written, ["0", "1235", "56.8", "1.23", "0.0123", "1.2e-5"]);
        let ticks = [0.0, 50.0, 0.25, -3.0, 0.1 + 0.2, 2e7].map(tick);
        assert_eq!(ticks, ["0", "50", "0.25", "-3", "0.3", "2.0e7"]);
    }

    #[test]
    fn durations_read_well() {
        let written = [1e-5, 0.0123, 12.34, 245.0, 7800.0, 172_799.0].map(duration);
        assert_eq!(written, ["under 1 ms", "12 ms", "12.3 s", "4 min 5 s", "2 h 10 min", "47 h 59 min"]);
        // The second was once 194399 h 6 min.
        let long = [273_600.0, 699_836_760.0, 1e14].map(duration);
        assert_eq!(long, ["3 days 4 h", "22.2 years", "3168809 years"]);
    }

    #[test]
    fn one_is_one_and_sizes_are_plain() {
        assert_eq!([0, 1, 2].map(|n| counted(n, "pair", "pairs")), ["0 pairs", "1 pair", "2 pairs"]);
        let many = [9999, 10_000, 1_800_030_000, u64::MAX].map(grouped);
        assert_eq!(many, ["9999", "10 000", "1 800 030 000", "18 446 744 073 709 551 615"]);
        let written = [512.0, 1536.0, 2e10, 7e20, 1e26].map(bytes);
        assert_eq!(written, ["512 B", "1.5 KiB", "19 GiB", "607 EiB", "86736174 EiB"]);
    }
}
