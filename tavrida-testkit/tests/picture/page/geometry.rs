//! Positions: within the drawing, and texts that do not overlap.

use roxmltree::Node;

use super::{drawn, has, read, runs};

/// A box around something.
#[derive(Debug, Clone, Copy)]
struct Room {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Room {
    fn around(points: &[(f64, f64)]) -> Self {
        let fold = |by: fn(f64, f64) -> f64, start, of: fn(&(f64, f64)) -> f64| {
            points.iter().map(of).fold(start, by)
        };
        Self {
            left: fold(f64::min, f64::INFINITY, |point| point.0),
            top: fold(f64::min, f64::INFINITY, |point| point.1),
            right: fold(f64::max, f64::NEG_INFINITY, |point| point.0),
            bottom: fold(f64::max, f64::NEG_INFINITY, |point| point.1),
        }
    }

    fn holds(&self, other: &Self) -> bool {
        self.left <= other.left
            && self.top <= other.top
            && other.right <= self.right
            && other.bottom <= self.bottom
    }

    fn meets(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    let text = node.attribute(name).unwrap_or_else(|| panic!("no {name} in {node:?}"));
    text.parse().unwrap_or_else(|_| panic!("{name} is no number in {node:?}"))
}

/// Returns the box of a text in the labels' font, 11 pixels high: the width of each character is 0.602 of that.
fn room_of_text(node: Node<'_, '_>) -> Room {
    let text: String = node.descendants().filter_map(|node| node.text().filter(|_| node.is_text())).collect();
    let (x, y) = (number(node, "x"), number(node, "y"));
    let width: f64 = text.chars().map(|c| if c.is_ascii() { 6.63 } else { 13.3 }).sum();
    let left = match () {
        () if has(node, "name") || has(node, "role") => x - width / 2.0,
        () if has(node, "time") || has(node, "gap") => x - width,
        () => x,
    };
    Room { left, top: y - 8.0, right: left + width, bottom: y + 2.0 }
}

/// Returns the corners of a path, for the commands that pictures use.
fn corners(path: &str) -> Vec<(f64, f64)> {
    let spaced: String = path
        .chars()
        .flat_map(|c| if c.is_ascii_alphabetic() { vec![' ', c, ' '] } else { vec![c] })
        .collect();
    let mut words = spaced.split_whitespace().peekable();
    let (mut x, mut y) = (0.0, 0.0);
    let mut corners = Vec::new();
    while let Some(command) = words.next() {
        let mut next = || words.next().and_then(|word| word.parse::<f64>().ok()).expect("a number in a path");
        match command {
            "M" | "L" => (x, y) = (next(), next()),
            "m" | "l" => (x, y) = (x + next(), y + next()),
            "H" => x = next(),
            "h" => x += next(),
            "V" => y = next(),
            "z" => {}
            other => panic!("'{other}' in {path:?}"),
        }
        corners.push((x, y));
    }
    corners
}

fn room(node: Node<'_, '_>) -> Option<Room> {
    let of = |names: &[(&str, &str)]| {
        Room::around(&names.iter().map(|(x, y)| (number(node, x), number(node, y))).collect::<Vec<_>>())
    };
    let room = match node.tag_name().name() {
        "line" => of(&[("x1", "y1"), ("x2", "y2")]),
        "path" => Room::around(&corners(node.attribute("d").expect("a path has corners"))),
        "text" => room_of_text(node),
        "circle" => {
            let (x, y, r) = (number(node, "cx"), number(node, "cy"), number(node, "r"));
            Room { left: x - r, top: y - r, right: x + r, bottom: y + r }
        }
        "rect" => {
            let (x, y) = (number(node, "x"), number(node, "y"));
            let (width, height) = (number(node, "width"), number(node, "height"));
            assert!(width > 0.0 && height > 0.0, "nothing to see in {node:?}");
            Room { left: x, top: y, right: x + width, bottom: y + height }
        }
        "svg" | "g" | "a" | "title" => return None,
        other => panic!("an element '{other}' in a picture"),
    };
    Some(room)
}

#[test]
fn everything_is_within_its_drawing() {
    for (name, finished) in runs() {
        let page = finished.picture().page();
        let page = read(&page);
        for drawing in ["heads", "gutter", "picture"] {
            let svg = drawn(&page, drawing, drawing).next().expect("a drawing");
            let view: Vec<f64> = svg
                .attribute("viewBox")
                .expect("a drawing has edges")
                .split(' ')
                .flat_map(str::parse)
                .collect();
            let edges =
                Room { left: view[0], top: view[1], right: view[0] + view[2], bottom: view[1] + view[3] };
            assert_eq!(
                (number(svg, "width"), number(svg, "height")),
                (view[2], view[3]),
                "it is drawn to scale"
            );
            for node in svg.descendants().filter(Node::is_element) {
                if let Some(room) = room(node) {
                    assert!(edges.holds(&room), "{name}: {node:?} at {room:?} is not within {edges:?}");
                }
            }
        }
    }
}

#[test]
fn no_two_texts_overlap() {
    for (name, finished) in runs() {
        let page = finished.picture().page();
        let page = read(&page);
        for (drawing, class) in [("heads", "name"), ("gutter", "time"), ("picture", "label")] {
            let texts: Vec<(Node<'_, '_>, Room)> =
                drawn(&page, drawing, class).map(|text| (text, room_of_text(text))).collect();
            assert!(!texts.is_empty());
            for (at, (one, room)) in texts.iter().enumerate() {
                for (other, there) in &texts[at + 1..] {
                    let (one, other) = (one.text(), other.text());
                    assert!(
                        !room.meets(there),
                        "{name}: {one:?} at {room:?} overlaps {other:?} at {there:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn time_goes_downward() {
    for (name, finished) in runs() {
        let page = finished.picture().page();
        let page = read(&page);
        let times: Vec<f64> = drawn(&page, "gutter", "time").map(|time| number(time, "y")).collect();
        assert!(times.is_sorted(), "{name}: {times:?}");
        for line in drawn(&page, "picture", "line") {
            let corners = corners(line.attribute("d").expect("an arrow has corners"));
            let (from, to) = (corners[0], corners[corners.len() - 1]);
            assert!(from.1 <= to.1, "{name}: an arrow goes up: {from:?} to {to:?}");
        }
    }
}
