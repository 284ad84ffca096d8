use std::fmt;

/// Invalid setting of a paywall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Key of the setting, or the route.
    pub key: String,
    /// What is wrong and what is expected.
    pub what: String,
}

/// Error returned with all faults of a file of paid routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteFaults {
    place: String,
    faults: Vec<Fault>,
}

impl RouteFaults {
    /// Creates an empty list for the file at `place`.
    pub(crate) fn new(place: &str) -> Self {
        Self { place: place.to_owned(), faults: Vec::new() }
    }

    /// Adds a fault.
    pub(crate) fn add(&mut self, key: &str, what: impl fmt::Display) {
        self.faults.push(Fault { key: key.to_owned(), what: what.to_string() });
    }

    /// Returns the routes if there are no faults.
    pub(crate) fn or<T>(self, good: T) -> Result<T, Self> {
        if self.faults.is_empty() { Ok(good) } else { Err(self) }
    }

    /// Returns the name of the file.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns the faults in the order they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter()
    }
}

impl fmt::Display for RouteFaults {
    /// Writes one fault per line.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, Fault { key, what }) in self.faults.iter().enumerate() {
            let line = if position == 0 { "" } else { "\n" };
            write!(formatter, "{line}{key} (in {}): {what}", self.place)?;
        }
        Ok(())
    }
}

impl std::error::Error for RouteFaults {}
