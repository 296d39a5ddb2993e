//! Rust source as words: identifiers, `::` and single marks, without comments, strings and inline test modules.

/// The words of a file.
pub(crate) fn tokens(source: &str) -> Vec<String> {
    without_tests(split(source))
}

fn split(source: &str) -> Vec<String> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        if c == '/' && at(i + 1) == '/' {
            while i < chars.len() && chars[i] != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            while i < chars.len() && !(chars[i] == '*' && at(i + 1) == '/') {
                i += 1;
            }
            i += 2;
        } else if c == '"' {
            i = after_string(&chars, i);
        } else if c == 'r' && (at(i + 1) == '"' || (at(i + 1) == '#' && matches!(at(i + 2), '"' | '#'))) {
            i = after_raw_string(&chars, i + 1);
        } else if c == '\'' {
            // A character, or a lifetime, whose name is then read as a word.
            i = match (at(i + 1), at(i + 2)) {
                ('\\', _) => (i + 3..chars.len()).find(|&end| chars[end] == '\'').unwrap_or(i) + 1,
                (_, '\'') => i + 3,
                _ => i + 1,
            };
        } else if word(c) {
            let end = (i..chars.len()).find(|&end| !word(chars[end])).unwrap_or(chars.len());
            tokens.push(chars[i..end].iter().collect());
            i = end;
        } else if c == ':' && at(i + 1) == ':' {
            tokens.push("::".to_owned());
            i += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            i += 1;
        }
    }
    tokens
}

fn after_string(chars: &[char], start: usize) -> usize {
    let mut i = start + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn after_raw_string(chars: &[char], start: usize) -> usize {
    let hashes = chars[start..].iter().take_while(|&&c| c == '#').count();
    let closes = |i: usize| chars[i] == '"' && chars[i + 1..].iter().take(hashes).all(|&c| c == '#');
    (start + hashes + 1..chars.len()).find(|&i| closes(i)).map_or(chars.len(), |i| i + 1 + hashes)
}

/// Leaves out `#[cfg(test)] mod … { … }`.
fn without_tests(tokens: Vec<String>) -> Vec<String> {
    const TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut i = 0;
    while i < tokens.len() {
        if tokens[i..].iter().zip(TEST).filter(|(token, word)| token == word).count() == TEST.len()
            && tokens.get(i + 7).is_some_and(|token| token == "mod")
        {
            i += tokens[i..].iter().take_while(|&token| token != "{" && token != ";").count();
            let mut depth = 0;
            while i < tokens.len() {
                depth += i32::from(tokens[i] == "{") - i32::from(tokens[i] == "}");
                i += 1;
                if depth == 0 {
                    break;
                }
            }
        } else {
            kept.push(tokens[i].clone());
            i += 1;
        }
    }
    kept
}
