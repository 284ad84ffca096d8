use crate::html::escaped;

/// What a shared link shows of a page.
pub struct Head {
    /// Title.
    pub title: String,
    /// One or two sentences.
    pub description: String,
    /// URL of the page.
    pub url: String,
    /// URL of a picture.
    pub picture: Option<String>,
}

impl Head {
    /// Marks around what a page's own head has for itself.
    const BEGIN: &'static str = "<!--head-->";
    const END: &'static str = "<!--/head-->";

    /// Returns a page with this head.
    pub fn put_into(&self, page: &str) -> String {
        let Some((before, rest)) = page.split_once(Self::BEGIN) else { return page.to_owned() };
        let Some((_, after)) = rest.split_once(Self::END) else { return page.to_owned() };
        format!("{before}{}{after}", self.html())
    }

    fn html(&self) -> String {
        let title = escaped(&self.title);
        let mut html = format!("<title>{title}</title>");
        let mut name = |kind: &str, name: &str, content: &str| {
            html.push_str(&format!("\n<meta {kind}=\"{name}\" content=\"{}\">", escaped(content)));
        };
        name("name", "description", &self.description);
        name("property", "og:type", "website");
        name("property", "og:title", &self.title);
        name("property", "og:description", &self.description);
        name("property", "og:url", &self.url);
        name(
            "name",
            "twitter:card",
            if self.picture.is_some() { "summary_large_image" } else { "summary" },
        );
        if let Some(picture) = &self.picture {
            name("property", "og:image", picture);
        }
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_cannot_leave_its_tag() {
        let head = Head {
            title: "</title><script>alert(1)</script>".to_owned(),
            description: "\"><img src=x>".to_owned(),
            url: "https://gw.example/w/1".to_owned(),
            picture: None,
        };
        let page = head.put_into("<head><!--head--><title>Plain</title><!--/head--></head>");
        assert!(page.starts_with("<head><title>&lt;/title&gt;&lt;script&gt;"), "{page}");
        assert!(page.ends_with("content=\"summary\"></head>"), "{page}");
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("Plain"));
        assert_eq!(head.put_into("<head></head>"), "<head></head>");
    }
}
