//! Statements out of text: where one ends, without parsing SQL. A semicolon inside quotes or a comment ends nothing.

/// A file of statements.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// The statements in order, without their semicolons.
    pub statements: Vec<String>,
}

impl Script {
    /// Splits a whole text; the last statement needs no semicolon.
    #[must_use]
    pub fn split(text: &str) -> Self {
        let mut reader = ScriptReader::default();
        let mut statements = reader.push(text);
        statements.extend(reader.finish());
        Self { statements }
    }
}

/// Takes text as it is typed and gives statements as they are finished.
#[derive(Debug, Clone, Default)]
pub struct ScriptReader {
    pending: String,
    place: Place,
    has_words: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Open,
    Quoted(char),
    LineComment,
    BlockComment(u32),
}

impl ScriptReader {
    /// Adds text; gives the statements that it finishes.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        let mut finished = Vec::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let next = characters.peek().copied();
            if self.place == Place::Open && character == ';' {
                finished.extend(self.finish());
                continue;
            }
            self.pending.push(character);
            if let Some(second) = self.step(character, next) {
                self.pending.push(second);
                characters.next();
            }
        }
        finished
    }

    /// What is left, if it holds more than space and comments.
    pub fn finish(&mut self) -> Option<String> {
        let statement = std::mem::take(&mut self.pending);
        let has_words = std::mem::take(&mut self.has_words);
        self.place = Place::Open;
        has_words.then(|| statement.trim().to_owned())
    }

    /// Whether a statement has begun and not ended.
    #[must_use]
    pub const fn is_amid_statement(&self) -> bool {
        self.has_words || !matches!(self.place, Place::Open | Place::LineComment)
    }

    /// Takes one character; gives the second one where both make one mark.
    fn step(&mut self, character: char, next: Option<char>) -> Option<char> {
        let (place, second) = match (self.place, character, next) {
            (Place::Open, '-', Some('-')) => (Place::LineComment, next),
            (Place::Open, '/', Some('*')) => (Place::BlockComment(1), next),
            (Place::Open, '\'' | '"', _) => (Place::Quoted(character), None),
            (Place::Quoted(quote), _, _) if quote == character => (Place::Open, None),
            (Place::LineComment, '\n', _) => (Place::Open, None),
            (Place::BlockComment(depth), '/', Some('*')) => (Place::BlockComment(depth.saturating_add(1)), next),
            (Place::BlockComment(1), '*', Some('/')) => (Place::Open, next),
            (Place::BlockComment(depth), '*', Some('/')) => (Place::BlockComment(depth.saturating_sub(1)), next),
            (place, _, _) => (place, None),
        };
        let opens_comment = matches!(place, Place::LineComment | Place::BlockComment(_));
        let in_comment = opens_comment || matches!(self.place, Place::LineComment | Place::BlockComment(_));
        self.has_words |= !in_comment && !character.is_whitespace();
        self.place = place;
        second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_in_quotes_or_comments_ends_nothing() {
        let text = "-- a; b\nselect ';', \"a;b\", 'it''s;' /* ; /* ; */ ; */;\n\n; select 2 -- end;\n";
        let script = Script::split(text);
        assert_eq!(script.statements.len(), 2, "{script:?}");
        assert!(script.statements[0].starts_with("-- a; b\nselect"));
        assert_eq!(script.statements[1], "select 2 -- end;");
    }

    #[test]
    fn comments_alone_are_no_statement() {
        assert_eq!(Script::split(" -- nothing\n /* here */ ; "), Script::default());
    }

    #[test]
    fn a_statement_may_come_line_by_line() {
        let mut reader = ScriptReader::default();
        assert!(reader.push("select 'a\n").is_empty());
        assert!(reader.is_amid_statement());
        assert_eq!(reader.push("b;c'; sel"), ["select 'a\nb;c'"]);
        assert_eq!(reader.push("ect 1;\n"), ["select 1"]);
        assert!(!reader.is_amid_statement());
    }
}
