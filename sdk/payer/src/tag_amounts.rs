/// Amounts by tag, base units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagAmounts {
    /// In ascending order of the tags. A list instead of a tree, whose code would be a twentieth of the
    /// clients' WebAssembly module.
    amounts: Vec<(String, u64)>,
}

impl TagAmounts {
    /// Sets the amount of a tag.
    pub fn insert(&mut self, tag: &str, amount: u64) {
        match self.position(tag) {
            Ok(position) => self.amounts[position].1 = amount,
            Err(position) => self.amounts.insert(position, (tag.to_owned(), amount)),
        }
    }

    /// Adds to the amount of a tag, up to the maximum of `u64`.
    pub fn add(&mut self, tag: &str, amount: u64) {
        self.insert(tag, self.get(tag).unwrap_or(0).saturating_add(amount));
    }

    /// Returns the amount of a tag; `None` if it has none.
    pub fn get(&self, tag: &str) -> Option<u64> {
        self.position(tag).ok().map(|position| self.amounts[position].1)
    }

    /// Returns whether no tag has an amount.
    pub fn is_empty(&self) -> bool {
        self.amounts.is_empty()
    }

    /// Returns tags and amounts in ascending order of the tags.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.amounts.iter().map(|(tag, amount)| (tag.as_str(), *amount))
    }

    fn position(&self, tag: &str) -> Result<usize, usize> {
        self.amounts.binary_search_by(|(own, _)| own.as_str().cmp(tag))
    }
}

impl FromIterator<(String, u64)> for TagAmounts {
    /// Creates a list; later amounts of a tag replace earlier ones.
    fn from_iter<T: IntoIterator<Item = (String, u64)>>(amounts: T) -> Self {
        let mut list = Self::default();
        for (tag, amount) in amounts {
            list.insert(&tag, amount);
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_add_up_by_tag() {
        let mut amounts: TagAmounts = [("bob", 1), ("ann", 2), ("bob", 3)]
            .map(|(tag, amount)| (tag.to_owned(), amount))
            .into_iter()
            .collect();
        for tag in ["ann", "carl", ""] {
            amounts.add(tag, 4);
        }
        let all: Vec<_> = amounts.iter().collect();
        assert_eq!(all, [("", 4), ("ann", 6), ("bob", 3), ("carl", 4)]);
        assert_eq!((amounts.get("ann"), amounts.get("an")), (Some(6), None));
        amounts.add("ann", u64::MAX);
        assert_eq!(amounts.get("ann"), Some(u64::MAX));
    }
}
