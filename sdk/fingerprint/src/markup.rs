//! Text of marked-up documents.

use html5gum::{DefaultEmitter, EndTag, StartTag, Token, Tokenizer};

use super::charset::is_control;

/// Elements whose content is not shown.
const HIDDEN: [&[u8]; 5] = [b"script", b"style", b"template", b"title", b"noscript"];

/// Which text of a document counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    /// HTML: all but what is hidden.
    Html,
    /// The same in XML, where an element without content ends at once.
    Xhtml,
    /// WordprocessingML: runs of text that were not deleted.
    #[cfg(feature = "documents")]
    Word,
    /// OpenDocument: all but comments and recorded changes.
    #[cfg(feature = "documents")]
    OpenDocument,
}

/// Returns the text of a document.
pub fn text(document: &str, markup: Markup) -> String {
    let mut text = String::new();
    // Depth of elements of which all, or nothing, counts.
    let is_page = matches!(markup, Markup::Html | Markup::Xhtml);
    let (mut shown, mut hidden) = (usize::from(is_page), 0_usize);
    let mut emitter = DefaultEmitter::<()>::default();
    // Tags in a script are none.
    emitter.naively_switch_states(markup == Markup::Html);
    for Ok(token) in Tokenizer::new_with_emitter(document, emitter) {
        match token {
            Token::StartTag(StartTag { name, self_closing, .. })
                if markup == Markup::Html || !self_closing =>
            {
                shown += usize::from(markup.shows(&name));
                hidden += usize::from(markup.hides(&name));
            }
            Token::EndTag(EndTag { name, .. }) => {
                shown = shown.saturating_sub(usize::from(markup.shows(&name)));
                hidden = hidden.saturating_sub(usize::from(markup.hides(&name)));
            }
            Token::String(found) if shown > 0 && hidden == 0 => {
                text.push_str(&String::from_utf8_lossy(&found));
            }
            _ => {}
        }
    }
    // References to control characters are no text.
    text.replace(is_control, " ")
}

/// Returns attributes of all elements with a local name that have all of them, in their order. Names are in
/// lower case.
#[cfg(feature = "documents")]
pub fn attributes<const N: usize>(
    document: &str,
    element: &[u8],
    names: [&[u8]; N],
) -> Vec<[String; N]> {
    let tokens = Tokenizer::new(document).filter_map(|Ok(token)| match token {
        Token::StartTag(tag) if local(&tag.name) == element => {
            let values = names.map(|name| tag.attributes.get(name));
            values.iter().all(Option::is_some).then(|| {
                values.map(|value| value.map(|value| String::from_utf8_lossy(value).into_owned()))
            })
        }
        _ => None,
    });
    tokens.map(|values| values.map(Option::unwrap_or_default)).collect()
}

impl Markup {
    #[cfg_attr(not(feature = "documents"), allow(unused_variables, reason = "pages show all"))]
    fn shows(self, name: &[u8]) -> bool {
        match self {
            Self::Html | Self::Xhtml => false,
            #[cfg(feature = "documents")]
            Self::Word => local(name) == b"t",
            #[cfg(feature = "documents")]
            Self::OpenDocument => local(name) == b"body",
        }
    }

    fn hides(self, name: &[u8]) -> bool {
        match self {
            Self::Html | Self::Xhtml => HIDDEN.contains(&name),
            // What older programs show in place of a drawing, again.
            #[cfg(feature = "documents")]
            Self::Word => local(name) == b"fallback",
            #[cfg(feature = "documents")]
            Self::OpenDocument => [&b"annotation"[..], b"tracked-changes"].contains(&local(name)),
        }
    }
}

#[cfg(feature = "documents")]
fn local(name: &[u8]) -> &[u8] {
    name.rsplit(|byte| *byte == b':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_text_of_html_is_kept() {
        let page = "<!DOCTYPE html><title>Page</title><style>p { color: red }</style><p>One<br>two \
            &amp; t<b>hre</b>e<script>if (1 < 2) { '</p>' }</script></div>&#x4E00;";
        assert_eq!(text(page, Markup::Html), "Onetwo & three\u{4E00}");
        assert_eq!(text("only text &#1;", Markup::Html), "only text  ");
        let xhtml =
            "<html><head><title/><script src='a.js'/></head><body>One<br/> two</body></html>";
        assert_eq!(text(xhtml, Markup::Xhtml), "One two");
    }

    #[test]
    #[cfg(feature = "documents")]
    fn deleted_text_of_documents_is_left_out() {
        let word = "<?xml version='1.0'?><w:document><w:body><w:p><w:r><w:t>One </w:t></w:r><w:del><w:r>\
            <w:delText>not </w:delText></w:r></w:del><w:r><w:instrText>PAGE</w:instrText><w:tab/>\
            <w:t xml:space='preserve'>two&lt;</w:t></w:r></w:p></w:body></w:document>";
        assert_eq!(text(word, Markup::Word), "One two<");
        let open = "<office:document-content><office:automatic-styles>x</office:automatic-styles><office:body>\
            <office:text><text:tracked-changes>old</text:tracked-changes><text:p>One<office:annotation>no\
            </office:annotation> two</text:p></office:text></office:body></office:document-content>";
        assert_eq!(text(open, Markup::OpenDocument), "One two");
    }

    #[test]
    #[cfg(feature = "documents")]
    fn elements_without_all_attributes_are_skipped() {
        let package = "<opf:item id='a' href='1'/><item id='b'/><ITEM HREF='3' ID='c'/>";
        let found = attributes(package, b"item", [b"id", b"href"]);
        assert_eq!(found, [["a", "1"], ["c", "3"]]);
    }
}
