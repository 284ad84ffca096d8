/// Text with places that each response fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template<const PLACES: usize> {
    /// Text before a place, and the index of its value.
    parts: Vec<(String, usize)>,
    end: String,
}

impl<const PLACES: usize> Template<PLACES> {
    /// Creates the template of a text that has a mark at each place. A mark is not empty, and no text
    /// but itself; it may occur several times.
    pub fn new(text: &str, marks: [&str; PLACES]) -> Self {
        let (mut parts, mut rest) = (Vec::new(), text);
        let first = |rest: &str| {
            let places = marks.iter().enumerate();
            places.filter_map(|(index, mark)| Some((rest.find(mark)?, index))).min()
        };
        while let Some((at, index)) = first(rest) {
            parts.push((rest[..at].to_owned(), index));
            rest = &rest[at + marks[index].len()..];
        }
        Self { parts, end: rest.to_owned() }
    }

    /// Returns the text with these values, which are in the order of the marks.
    pub fn fill(&self, values: [&str; PLACES]) -> String {
        let parts = || self.parts.iter().map(|(before, index)| (before, values[*index]));
        let length: usize = parts().map(|(before, value)| before.len() + value.len()).sum();
        let mut text = String::with_capacity(length + self.end.len());
        for (before, value) in parts() {
            text.push_str(before);
            text.push_str(value);
        }
        text.push_str(&self.end);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_gets_its_value() {
        let template = Template::new("1, 2 and 1 again", ["2", "1"]);
        assert_eq!(template.fill(["two", "one"]), "one, two and one again");
        assert_eq!(template.fill(["1", ""]), ", 1 and  again");
        assert_eq!(Template::new("none", []).fill([]), "none");
        assert_eq!(Template::new("ab", ["a", "b"]).fill(["x", "y"]), "xy");
    }
}
