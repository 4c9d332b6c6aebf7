//! Texts that find other texts, in every database.

/// A LIKE pattern for a literal text anywhere, with `\` as its escape character.
pub(crate) fn containing(term: &str) -> String {
    format!("%{}", beginning_with(term))
}

/// A LIKE pattern for a literal text at the beginning, with `\` as its escape character.
pub(crate) fn beginning_with(term: &str) -> String {
    let mut pattern = String::with_capacity(term.len() + 2);
    for character in term.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// A text that is greater, in any encoding, than all texts that begin with `prefix`, which ends in a dot. In UTF-8 it is the
/// least such text. In UTF-16, texts without the prefix may also be less than it.
pub(crate) fn end_of(prefix: &str) -> String {
    let mut end = prefix.to_owned();
    end.pop();
    // The character after the dot.
    end.push('/');
    end
}
