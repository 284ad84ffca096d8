use std::fmt;

/// Invalid setting of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Key of the setting.
    pub key: String,
    /// Source of the value; empty if it is irrelevant.
    pub given_in: String,
    /// What is wrong and what is expected. Never the value, which may be a secret.
    pub what: String,
}

/// Error returned with all invalid settings of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds a fault.
    pub fn add(&mut self, key: &str, given_in: &str, what: impl fmt::Display) {
        let (key, given_in) = (key.to_owned(), given_in.to_owned());
        self.0.push(Fault { key, given_in, what: what.to_string() });
    }

    /// Adds the faults of another list.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Returns whether there are no faults.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the faults in the order they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// Returns the configuration if there are no faults.
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
    /// Writes one fault per line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, fault) in self.0.iter().enumerate() {
            let line = if position == 0 { "" } else { "\n" };
            write!(formatter, "{line}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
