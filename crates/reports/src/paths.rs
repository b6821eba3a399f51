//! What a failing request asked for, without what differs in each request: `GET /orders/{}`.

/// Longer ones are cut: what is kept for each API is bounded.
const LONGEST: usize = 120;
/// A part of an address with this many letters and digits mixed is an id or a token, never a name.
const LONGEST_NAME: usize = 20;

/// Method and path of a request line; ids become `{}`, what follows `?` is left out, and so is what a terminal would obey.
pub(crate) fn template(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    let mut words = text.split(' ');
    let method = words.next().filter(|method| is_method(method)).unwrap_or("-");
    let path = path_of(words.next().unwrap_or_default());
    let mut template = String::with_capacity(method.len() + path.len() + 1);
    template.push_str(method);
    template.push(' ');
    for (place, part) in path.split('/').enumerate() {
        if place > 0 {
            template.push('/');
        }
        template.push_str(&part_of(part));
    }
    if template.len() > LONGEST {
        let end =
            (0..=LONGEST).rev().find(|end| template.is_char_boundary(*end)).unwrap_or_default();
        template.truncate(end);
        template.push('…');
    }
    template
}

fn is_method(word: &str) -> bool {
    !word.is_empty() && word.len() <= 16 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// What is between the host and the query of `https://host:443/path?query`.
fn path_of(address: &str) -> &str {
    let after_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    let from = after_scheme.find('/').unwrap_or(after_scheme.len());
    let path = after_scheme.split_at_checked(from).map_or("", |(_, path)| path);
    path.split(['?', '#', ';']).next().filter(|path| !path.is_empty()).unwrap_or("/")
}

/// A name stays; numbers, hex, UUIDs and tokens become `{}`, with what stands around them: `app.{}.js`.
fn part_of(part: &str) -> String {
    let dotted: Vec<String> = part
        .split('.')
        .map(|piece| if is_id(piece) { "{}".to_owned() } else { printable(piece) })
        .collect();
    dotted.join(".")
}

fn is_id(piece: &str) -> bool {
    let digits = piece.bytes().filter(u8::is_ascii_digit).count();
    let is_hex = piece.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_number = digits > 0 && digits == piece.len();
    is_number
        || (is_hex && digits > 0 && piece.len() >= 6)
        || (digits >= 2 && piece.len() > LONGEST_NAME)
        || piece.len() > 3 * LONGEST_NAME
}

fn printable(piece: &str) -> String {
    piece
        .chars()
        .map(|letter| if letter.is_control() || letter == '\u{202e}' { '?' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_for_the_same_thing_have_the_same_template() {
        let cases = [
            (
                "GET https://www.example.com:443/api/v1/orders/48213 HTTP/2.0",
                "GET /api/v1/orders/{}",
            ),
            (
                "GET https://www.example.com:443/api/v1/cart/17/items?sku=99 HTTP/1.1",
                "GET /api/v1/cart/{}/items",
            ),
            (
                "GET https://www.example.com:443/static/app.48213.js HTTP/1.1",
                "GET /static/app.{}.js",
            ),
            (
                "POST http://a:80/u/550e8400-e29b-41d4-a716-446655440000/avatar HTTP/1.1",
                "POST /u/{}/avatar",
            ),
            ("GET https://a:443/reset/kJh3fd83jfGGs88dkfjHHs73jd HTTP/1.1", "GET /reset/{}"),
            ("GET https://a:443/search?q=red%20shoes HTTP/1.1", "GET /search"),
            ("GET https://a:443 HTTP/1.1", "GET /"),
            ("GET https://a:443/ HTTP/1.1", "GET /"),
            ("- http://www.example.com:80- -", "- /"),
            ("-", "- /"),
            ("", "- /"),
        ];
        for (request, expected) in cases {
            assert_eq!(template(request.as_bytes()), expected, "{request}");
        }
    }

    #[test]
    fn names_are_kept() {
        for path in [
            "/api/v1/orders",
            "/healthz",
            "/checkout/address-book",
            "/x2",
            "/.well-known/jwks.json",
        ] {
            assert_eq!(
                template(format!("GET https://a:443{path} HTTP/1.1").as_bytes()),
                format!("GET {path}")
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn a_template_is_short_and_harmless(request in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
            let template = template(&request);
            proptest::prop_assert!(template.len() <= LONGEST + '…'.len_utf8());
            proptest::prop_assert!(!template.chars().any(char::is_control));
        }
    }
}
