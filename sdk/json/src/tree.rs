use std::borrow::Cow;

/// Parsed JSON value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Node<'a> {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// Integer that is not negative.
    Unsigned(u64),
    /// Negative integer.
    Signed(i64),
    /// Number with a fraction or an exponent, or beyond the integers: no type has one.
    Fraction,
    /// String.
    Text(Cow<'a, str>),
    /// Array.
    Array(Vec<Node<'a>>),
    /// Object.
    Object(Object<'a>),
}

/// Fields of an object by name, in order of the text.
pub type Object<'a> = Vec<(Cow<'a, str>, Node<'a>)>;
