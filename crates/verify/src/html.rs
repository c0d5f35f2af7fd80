//! The index as a page to print: markup around a report, byte for byte the same every time.
//!
//! Implements spec/evidence.md#page.
//!
//! Invariant: nothing of a report stands outside an escaped text; there is no script and no link.

use crate::report::{Report, Section};

const HEAD: &str = concat!(
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
    "<meta http-equiv=\"Content-Security-Policy\" ",
    "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    "<title>Evidence</title>\n<style>\n",
    "body{font:11pt/1.4 serif;margin:2em;max-width:60em}\n",
    "h2{font-size:12pt;margin:1.5em 0 .3em;break-after:avoid}\n",
    "table{border-collapse:collapse;width:100%}\n",
    "th,td{border-bottom:1px solid #bbb;padding:.2em .5em;text-align:left;",
    "vertical-align:top;overflow-wrap:anywhere}\n",
    "th{font-weight:normal;width:16em;color:#444}\n",
    "tr{break-inside:avoid}\n",
    "</style>\n</head>\n<body>\n<h1>Evidence</h1>\n",
    "<p>This page says what the bundle beside it holds. It proves nothing by itself: ",
    "symbolon-verify checks the bundle, and this page against it.</p>\n",
);
const TAIL: &str = "</body>\n</html>\n";

/// The page.
pub(crate) fn page(report: &Report) -> String {
    let mut page = HEAD.to_owned();
    for section in &report.sections {
        add(&mut page, section);
    }
    add(&mut page, &numbered("Proved", &report.proved));
    add(&mut page, &numbered("Not proved", &report.not_proved));
    page.push_str(TAIL);
    page
}

fn numbered(title: &str, lines: &[String]) -> Section {
    let rows = (1..).zip(lines).map(|(number, line)| (number.to_string(), line.clone())).collect();
    Section { title: title.to_owned(), rows }
}

fn add(page: &mut String, section: &Section) {
    page.push_str("<h2>");
    escape(page, &section.title);
    page.push_str("</h2>\n<table>\n");
    for (label, text) in &section.rows {
        page.push_str("<tr><th>");
        escape(page, label);
        page.push_str("</th><td>");
        escape(page, text);
        page.push_str("</td></tr>\n");
    }
    page.push_str("</table>\n");
}

fn escape(page: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            c => page.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_a_text() {
        let rows = vec![("a\"b".to_owned(), "<script>alert('x')</script>&amp;".to_owned())];
        let section = Section { title: "</h2><img src=x>".to_owned(), rows };
        let report = Report { sections: vec![section], proved: vec![], not_proved: vec![] };
        let page = page(&report);
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;amp;"));
    }
}
