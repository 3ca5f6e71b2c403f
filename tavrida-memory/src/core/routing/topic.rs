//! Topic exchanges: patterns of words, stored in a trie.

use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::{FxHashMap, FxHashSet};

/// No node.
const NONE: u32 = u32::MAX;
/// The root node of all patterns.
const ROOT: u32 = 0;
/// How many routing keys are cached with their matches. A service has few keys; a stream of keys that are not repeated (ids in keys) must
/// not fill memory, so a full cache is emptied.
const CACHED_KEYS: usize = 4096;

/// The table of a topic exchange.
///
/// A key is words between dots: `n` dots make `n + 1` words, which may be empty, and the empty key has no word. In a pattern `*` stands for
/// exactly one word and `#` for any number of words, including none; both only as whole words. In a routing key they are ordinary words.
///
/// Looking up a key costs about as much as its words and matches, however many patterns there are; the matches of recent keys are cached
/// until a binding changes.
///
/// Clones share the trie until one of them is changed.
#[derive(Debug, Clone)]
pub struct TopicTable<D> {
    nodes: Arc<Vec<TrieNode<D>>>,
    free: Vec<u32>,
    /// Patterns with more than one `#`, which can match a key along many paths.
    winding: usize,
    cache: FxHashMap<Bytes, Arc<[D]>>,
}

#[derive(Debug, Clone)]
struct TrieNode<D> {
    words: FxHashMap<Bytes, u32>,
    star: u32,
    hash: u32,
    /// Destinations of the patterns that end here, with their numbers of bindings.
    here: Vec<(D, u32)>,
}

impl<D> TrieNode<D> {
    fn new() -> Self {
        Self { words: FxHashMap::default(), star: NONE, hash: NONE, here: Vec::new() }
    }

    fn leads_on(&self) -> bool {
        !self.words.is_empty() || self.star != NONE || self.hash != NONE
    }
}

/// Returns the words of a key. The empty key has none.
fn words(key: &[u8]) -> impl Iterator<Item = &[u8]> {
    key.split(|byte| *byte == b'.').filter(move |_| !key.is_empty())
}

impl<D: Copy + Eq> TopicTable<D> {
    /// Returns an empty table.
    pub fn new() -> Self {
        Self {
            nodes: Arc::new(vec![TrieNode::new()]),
            free: Vec::new(),
            winding: 0,
            cache: FxHashMap::default(),
        }
    }

    /// Adds a binding.
    pub fn insert(&mut self, pattern: &Bytes, destination: D) {
        self.cache.clear();
        self.winding += usize::from(is_winding(pattern));
        let mut at = ROOT;
        for word in words(pattern) {
            at = self.child_or_new(at, pattern.slice_ref(word));
        }
        let here = &mut self.node(at).here;
        match here.iter_mut().find(|(known, _)| *known == destination) {
            Some((_, count)) => *count += 1,
            None => here.push((destination, 1)),
        }
    }

    /// Removes one binding of this pattern to this destination; does nothing if there is none.
    pub fn remove(&mut self, pattern: &[u8], destination: D) {
        let mut path = vec![ROOT];
        for word in words(pattern) {
            let child = self.child(path[path.len() - 1], word);
            if child == NONE {
                return;
            }
            path.push(child);
        }
        let here = &mut self.node(path[path.len() - 1]).here;
        let Some(index) = here.iter().position(|(known, _)| *known == destination) else { return };
        here[index].1 -= 1;
        if here[index].1 == 0 {
            here.swap_remove(index);
        }
        self.winding -= usize::from(is_winding(pattern));
        self.cache.clear();
        self.prune(&path, pattern);
    }

    /// Pushes the destinations that a routing key matches, and caches them.
    pub fn route(&mut self, key: &[u8], into: &mut Vec<D>) {
        if let Some(known) = self.cache.get(key) {
            into.extend_from_slice(known);
            return;
        }
        let start = into.len();
        self.search(key, into);
        if self.cache.len() >= CACHED_KEYS {
            self.cache.clear();
        }
        self.cache.insert(Bytes::copy_from_slice(key), into[start..].into());
    }

    /// Does what [`route`](TopicTable::route) does without the cache: the cost of a new key.
    pub fn search(&self, key: &[u8], into: &mut Vec<D>) {
        // A key of 255 bytes has at most 256 words, most have few: their positions fit on the stack.
        let mut buffer = [&key[..0]; 32];
        let mut many = Vec::new();
        let mut count = 0;
        for word in words(key) {
            if count < buffer.len() {
                buffer[count] = word;
            } else {
                if many.is_empty() {
                    many.extend_from_slice(&buffer);
                }
                many.push(word);
            }
            count += 1;
        }
        let words = if many.is_empty() { &buffer[..count] } else { &many[..] };
        let mut search = Search { nodes: &self.nodes, words, into, seen: None };
        if self.winding > 0 {
            search.seen = Some(FxHashSet::default());
        }
        search.visit(ROOT, 0);
    }

    fn child(&self, at: u32, word: &[u8]) -> u32 {
        let node = &self.nodes[at as usize];
        match word {
            b"*" => node.star,
            b"#" => node.hash,
            _ => node.words.get(word).copied().unwrap_or(NONE),
        }
    }

    fn child_or_new(&mut self, at: u32, word: Bytes) -> u32 {
        let known = self.child(at, &word);
        if known != NONE {
            return known;
        }
        let new = self.new_node();
        let node = self.node(at);
        match &word[..] {
            b"*" => node.star = new,
            b"#" => node.hash = new,
            _ => {
                node.words.insert(word, new);
            }
        }
        new
    }

    fn new_node(&mut self) -> u32 {
        if let Some(place) = self.free.pop() {
            return place;
        }
        Arc::make_mut(&mut self.nodes).push(TrieNode::new());
        u32::try_from(self.nodes.len() - 1).expect("fewer than 2^32 nodes")
    }

    /// Returns a node for changes.
    fn node(&mut self, at: u32) -> &mut TrieNode<D> {
        &mut Arc::make_mut(&mut self.nodes)[at as usize]
    }

    /// Frees the nodes at the end of a path that lead nowhere.
    fn prune(&mut self, path: &[u32], pattern: &[u8]) {
        let words: Vec<&[u8]> = words(pattern).collect();
        for depth in (1..path.len()).rev() {
            let node = &self.nodes[path[depth] as usize];
            if node.leads_on() || !node.here.is_empty() {
                return;
            }
            let parent = self.node(path[depth - 1]);
            match words[depth - 1] {
                b"*" => parent.star = NONE,
                b"#" => parent.hash = NONE,
                word => {
                    parent.words.remove(word);
                }
            }
            self.free.push(path[depth]);
        }
    }
}

impl<D: Copy + Eq> Default for TopicTable<D> {
    fn default() -> Self {
        Self::new()
    }
}

fn is_winding(pattern: &[u8]) -> bool {
    words(pattern).filter(|word| *word == b"#").count() > 1
}

/// One walk through the trie.
struct Search<'a, D> {
    nodes: &'a [TrieNode<D>],
    words: &'a [&'a [u8]],
    into: &'a mut Vec<D>,
    /// The visited pairs of node and word: without it patterns with many `#` take exponential time.
    seen: Option<FxHashSet<(u32, usize)>>,
}

impl<D: Copy> Search<'_, D> {
    /// Visits this node, with the words from `word` on still to be matched.
    fn visit(&mut self, at: u32, word: usize) {
        if word == self.words.len() {
            self.collect(at);
        }
        self.descend(at, word);
    }

    fn descend(&mut self, at: u32, word: usize) {
        if let Some(seen) = &mut self.seen
            && !seen.insert((at, word))
        {
            return;
        }
        let node = &self.nodes[at as usize];
        if let Some(next) = self.words.get(word) {
            if let Some(child) = node.words.get(*next) {
                self.visit(*child, word + 1);
            }
            if node.star != NONE {
                self.visit(node.star, word + 1);
            }
        }
        if node.hash != NONE {
            // `#` consumes the rest, or any number of words before what follows it.
            self.collect(node.hash);
            if self.nodes[node.hash as usize].leads_on() {
                for after in word..=self.words.len() {
                    self.descend(node.hash, after);
                }
            }
        }
    }

    fn collect(&mut self, at: u32) {
        self.into.extend(self.nodes[at as usize].here.iter().map(|(destination, _)| *destination));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, key: &str) -> bool {
        let mut table = TopicTable::new();
        table.insert(&Bytes::copy_from_slice(pattern.as_bytes()), ());
        let mut into = Vec::new();
        table.route(key.as_bytes(), &mut into);
        let cold = !into.is_empty();
        into.clear();
        table.route(key.as_bytes(), &mut into);
        assert_eq!(!into.is_empty(), cold, "the cache disagrees on {pattern} ~ {key}");
        table.remove(pattern.as_bytes(), ());
        into.clear();
        table.route(key.as_bytes(), &mut into);
        assert!(into.is_empty(), "{pattern} still matches {key} after its removal");
        cold
    }

    #[test]
    fn r31_to_r34_patterns_match_as_rabbitmqs_do() {
        let yes = [
            ("#", ""),
            ("", ""),
            ("a.#", "a"),
            ("a.#", "a."),
            ("a.#", "a.b.c"),
            ("a.*", "a."),
            ("*.*", "."),
            ("#.#", ""),
            ("a.#.b", "a.b"),
            ("a.#.b", "a..b"),
            ("*", "#"),
            (".#", "."),
            (".#", ".a.b"),
            ("#.*", "a"),
            ("*.#.*", "a.b"),
            ("a#", "a#"),
            ("**", "**"),
            ("#.#.#", "a.b"),
            ("#", "a.b.c"),
            ("#.b.#", "a.b.c"),
            ("#.*.#", "a"),
        ];
        let no = [
            ("*", ""),
            ("", "a"),
            ("#.*", ""),
            ("*.#.*", "a"),
            (".#", ""),
            ("a..b", "a.*.b"),
            ("x", "#"),
            ("a#", "ab"),
            ("**", "a"),
            ("##", "a.b"),
            ("A", "a"),
            ("a.*.b", "a.b"),
            ("#.*.#", ""),
            ("*.*", "a"),
        ];
        for (pattern, key) in yes {
            assert!(matches(pattern, key), "{pattern} should match {key:?}");
        }
        for (pattern, key) in no {
            assert!(!matches(pattern, key), "{pattern} should not match {key:?}");
        }
    }

    #[test]
    fn many_hashes_do_not_take_for_ever() {
        let pattern = vec!["#"; 40].join(".") + ".z";
        let key = vec!["a"; 100].join(".");
        assert!(!matches(&pattern, &key));
    }

    #[test]
    fn a_removed_pattern_leaves_its_neighbours() {
        let mut table = TopicTable::new();
        for (pattern, destination) in [("a.b", 1), ("a.b.c", 2), ("a.*", 3), ("#", 4)] {
            table.insert(&Bytes::from_static(pattern.as_bytes()), destination);
        }
        table.remove(b"a.b", 1);
        table.remove(b"no.such", 1);
        let mut into = Vec::new();
        table.route(b"a.b", &mut into);
        into.sort_unstable();
        assert_eq!(into, [3, 4]);
        into.clear();
        table.route(b"a.b.c", &mut into);
        into.sort_unstable();
        assert_eq!(into, [2, 4]);
    }
}
