//! Finds lines in a policy file. The engine says where a syntax or type error is; for mistakes of our own rules we count
//! statements: a policy ends with `;`, which stands nowhere else but in strings and comments.

/// Line from 1 of a byte offset.
pub(crate) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// The line on which each policy of a file begins, in order.
pub(crate) fn policy_lines(text: &str) -> Vec<usize> {
    let mut lines = Vec::new();
    let mut line = 1;
    let mut begun = false;
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\n' => line += 1,
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|next| *next != '\n').is_some() {},
            ';' => begun = false,
            _ if character.is_whitespace() => {}
            _ => {
                if !begun {
                    lines.push(line);
                }
                begun = true;
                if character == '"' {
                    line += skip_string(&mut rest);
                }
            }
        }
    }
    lines
}

/// Leaves the iterator after the closing quote; returns how many lines the string spans beyond its first.
fn skip_string(rest: &mut impl Iterator<Item = char>) -> usize {
    let mut lines = 0;
    while let Some(character) = rest.next() {
        match character {
            '"' => break,
            '\n' => lines += 1,
            '\\' => lines += usize::from(rest.next() == Some('\n')),
            _ => {}
        }
    }
    lines
}
