//! Links into the AWS console.

use crate::alert::Link;

/// A page of the console in the partition that an account belongs to.
pub(super) fn page(title: &str, partition: &str, region: &str, path: &str) -> Option<Link> {
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if region.is_empty() || !is_plain(region) {
        return None;
    }
    let host = match partition {
        "aws-cn" => "amazonaws.cn",
        "aws-us-gov" => "amazonaws-us-gov.com",
        _ => "aws.amazon.com",
    };
    let url = format!("https://{region}.console.{host}/{}", path.replace("{region}", region));
    Some(Link { title: title.to_owned(), url })
}

/// Text as one piece of an address.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            write!(escaped, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_regions_cannot_lead_elsewhere() {
        let path = format!("x?region={{region}}#alarm/{}", escape("a b/../é"));
        let link = page("Alarm", "aws", "eu-west-1", &path).unwrap();
        assert_eq!(
            link.url,
            "https://eu-west-1.console.aws.amazon.com/x?region=eu-west-1#alarm/a%20b%2F..%2F%C3%A9"
        );
        for region in ["", "evil.test/", "a b"] {
            assert_eq!(page("Alarm", "aws", region, "x"), None, "{region}");
        }
    }
}
