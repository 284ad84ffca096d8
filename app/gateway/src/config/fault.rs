use std::fmt;

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The setting.
    pub key: String,
    /// Where it was given; empty where that does not matter.
    pub given_in: String,
    /// What is wrong, and what would be right. Never what was given: that may be a secret.
    pub what: String,
}

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Notes one more.
    pub fn add(&mut self, key: &str, given_in: &str, what: impl fmt::Display) {
        let (key, given_in) = (key.to_owned(), given_in.to_owned());
        self.0.push(Fault { key, given_in, what: what.to_string() });
    }

    /// Notes those of another list as well.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong, in the order it was found.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// The configuration, if nothing is wrong with it.
    pub fn or<T>(self, good: T) -> Result<T, Self> {
        if self.is_empty() { Ok(good) } else { Err(self) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.given_in[..] {
            "" => write!(formatter, "{}: {}", self.key, self.what),
            place => write!(formatter, "{} (in {place}): {}", self.key, self.what),
        }
    }
}

impl fmt::Display for Faults {
    /// One a line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, fault) in self.0.iter().enumerate() {
            let line = if position == 0 { "" } else { "\n" };
            write!(formatter, "{line}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
