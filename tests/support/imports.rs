// SPDX-License-Identifier: MIT OR Apache-2.0
//! The imports of a crate's files: each path in a `use` or in the code that leads to another file of the crate.
//!
//! A path through a re-export leads to the file that defines the name. A module that re-exports its own children does
//! not depend on them. Tests are left out: files and folders called `tests` or `*_tests`, and items under `#[cfg(test)]`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};

/// The texts of the files by their paths, such as `src/openssl/ssl.rs`.
pub type Sources = BTreeMap<String, String>;

/// The names from the crate's root down; the root itself is empty.
pub type Module = Vec<String>;

pub struct Import {
    pub file: String,
    pub line: usize,
    pub from: Module,
    pub to: Module,
    /// The path ends at a module with children: what is used of it follows in other paths.
    pub is_folder: bool,
}

/// All imports, in the order of files and lines.
pub fn imports(sources: &Sources) -> Vec<Import> {
    let tree = Tree::parse(sources);
    tree.files.iter().flat_map(|(module, file)| tree.imports_of(module, file)).collect()
}

/// Whether a file consists of tests.
pub fn is_test(path: &str) -> bool {
    path.trim_end_matches(".rs").split('/').any(|name| name == "tests" || name.ends_with("_tests"))
}

/// The module of `src/a/b.rs`, `src/a/mod.rs` or `src/lib.rs`.
pub fn module_of(path: &str) -> Module {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut names: Module = inner.split('/').map(String::from).collect();
    if names.last().is_some_and(|name| name == "mod" || name == "lib") {
        names.pop();
    }
    names
}

/// A path as it is written.
struct Path {
    names: Vec<String>,
    line: usize,
    /// The module around it, which may be inside the file.
    scope: Module,
}

/// A path of a `use`.
struct Use {
    path: Path,
    /// The name it has here; none for `*`.
    name: Option<String>,
    is_public: bool,
}

#[derive(Default)]
struct File {
    path: String,
    /// The names of what it defines.
    items: BTreeSet<String>,
    uses: Vec<Use>,
    paths: Vec<Path>,
}

struct Tree {
    files: BTreeMap<Module, File>,
}

impl Tree {
    fn parse(sources: &Sources) -> Self {
        let parse = |(path, text): (&String, &String)| {
            let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
            let module = module_of(path);
            let mut file = File { path: path.clone(), ..File::default() };
            file.walk(&trees(tokens), &module, true);
            (module, file)
        };
        Self { files: sources.iter().filter(|(path, _)| !is_test(path)).map(parse).collect() }
    }

    fn imports_of(&self, module: &Module, file: &File) -> Vec<Import> {
        let uses = file.uses.iter().filter(|found| !self.is_reexport_of_child(module, file, found));
        let mut paths: Vec<_> = uses.map(|found| &found.path).chain(&file.paths).collect();
        paths.sort_by_key(|path| path.line);
        let import = |path: &Path| {
            let names = self.absolute(file, path)?;
            let to = self.file_of(&names, 0);
            let is_folder = to == names
                && self.files.keys().any(|other| other.len() > to.len() && other.starts_with(&to));
            let import =
                Import { file: file.path.clone(), line: path.line, from: module.clone(), to, is_folder };
            (import.to != *module).then_some(import)
        };
        paths.into_iter().filter_map(import).collect()
    }

    fn is_reexport_of_child(&self, module: &Module, file: &File, found: &Use) -> bool {
        let names = self.absolute(file, &found.path);
        found.is_public && names.is_some_and(|names| self.file_of(&names, 0).starts_with(module))
    }

    /// The path from the crate's root; none when it leads out of the crate.
    fn absolute(&self, file: &File, path: &Path) -> Option<Vec<String>> {
        let (first, rest) = path.names.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([&path.scope, rest].concat()),
            "super" => {
                let levels = path.names.iter().take_while(|name| *name == "super").count();
                let outer = path.scope.len().checked_sub(levels)?;
                Some([&path.scope[..outer], &path.names[levels..]].concat())
            }
            _ => {
                let child = [&path.scope[..], &path.names].concat();
                let is_child = self.files.contains_key(&child[..=path.scope.len()]);
                if is_child {
                    Some(child)
                } else {
                    Some([self.imported_module(file, first)?, rest.to_vec()].concat())
                }
            }
        }
    }

    /// The module that a `use` of the file gives this name.
    fn imported_module(&self, file: &File, name: &str) -> Option<Module> {
        let is_absolute = |path: &Path| {
            let first = path.names.first().map(String::as_str);
            matches!(first, Some("crate" | "self" | "super"))
        };
        let named =
            file.uses.iter().filter(|found| found.name.as_deref() == Some(name) && is_absolute(&found.path));
        let mut modules = named.filter_map(|found| self.absolute(file, &found.path));
        modules.find(|names| self.files.contains_key(names))
    }

    /// The module whose file defines what the path leads to.
    fn file_of(&self, names: &[String], depth: usize) -> Module {
        let mut module = Module::new();
        for (index, name) in names.iter().enumerate() {
            let child = [&module[..], std::slice::from_ref(name)].concat();
            if self.files.contains_key(&child) {
                module = child;
                continue;
            }
            let rest = names.get(index + 1..).unwrap_or_default();
            return match self.reexported(&module, name) {
                Some(source) if depth < 8 => self.file_of(&[&source, rest].concat(), depth + 1),
                _ => module,
            };
        }
        module
    }

    /// The path of a name that a module has from elsewhere.
    fn reexported(&self, module: &Module, name: &str) -> Option<Vec<String>> {
        let file = self.files.get(module)?;
        if file.items.contains(name) {
            return None;
        }
        let named = file.uses.iter().find(|found| found.name.as_deref() == Some(name));
        if let Some(found) = named {
            return self.absolute(file, &found.path);
        }
        let all = file.uses.iter().filter(|found| found.name.is_none());
        let mut sources = all.filter_map(|found| self.absolute(file, &found.path));
        let defines = |source: &Module| self.files.get(source).is_some_and(|file| file.items.contains(name));
        sources.find(defines).map(|source| [&source, &[name.to_owned()][..]].concat())
    }
}

fn trees(tokens: TokenStream) -> Vec<TokenTree> {
    tokens.into_iter().collect()
}

fn is_punct(token: Option<&TokenTree>, punct: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == punct)
}

fn ident(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    }
}

fn group(token: Option<&TokenTree>, delimiter: Delimiter) -> Option<Vec<TokenTree>> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(trees(group.stream())),
        _ => None,
    }
}

/// Whether `::` stands there.
fn is_separator(tokens: &[TokenTree], at: usize) -> bool {
    is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')
}

/// Whether the tokens of an attribute are `cfg(test)` or demand it beside other things.
fn is_cfg_test(attribute: &[TokenTree]) -> bool {
    fn demands_test(tokens: &[TokenTree]) -> bool {
        tokens.iter().enumerate().any(|(at, token)| match token {
            TokenTree::Ident(ident) => ident == "test",
            TokenTree::Group(inner) => {
                let is_all = at > 0 && ident(tokens.get(at - 1)).as_deref() == Some("all");
                is_all && demands_test(&trees(inner.stream()))
            }
            _ => false,
        })
    }
    let condition = group(attribute.get(1), Delimiter::Parenthesis);
    ident(attribute.first()).as_deref() == Some("cfg") && condition.is_some_and(|inner| demands_test(&inner))
}

/// The end of an item or statement: behind its `;` or its block.
fn end_of_item(tokens: &[TokenTree], start: usize) -> usize {
    let is_end =
        |token: &TokenTree| is_punct(Some(token), ';') || group(Some(token), Delimiter::Brace).is_some();
    tokens.iter().skip(start).position(is_end).map_or(tokens.len(), |length| start + length + 1)
}

const DEFINING: [&str; 8] = ["const", "enum", "fn", "static", "struct", "trait", "type", "union"];

impl File {
    /// Notes all paths in the tokens; `is_top` outside of any braces.
    fn walk(&mut self, tokens: &[TokenTree], scope: &Module, is_top: bool) {
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at = match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    let open = at + 1 + usize::from(is_punct(tokens.get(at + 1), '!'));
                    let attribute = group(tokens.get(open), Delimiter::Bracket);
                    match attribute {
                        Some(attribute) if is_cfg_test(&attribute) => end_of_item(tokens, open + 1),
                        Some(_) => open + 1,
                        None => at + 1,
                    }
                }
                TokenTree::Group(inner) => {
                    self.walk(&trees(inner.stream()), scope, false);
                    at + 1
                }
                TokenTree::Ident(name) => self.walk_word(tokens, at, &name.to_string(), scope, is_top),
                _ => at + 1,
            };
        }
    }

    /// Reads a word and what belongs to it, and returns where the next token is.
    fn walk_word(
        &mut self,
        tokens: &[TokenTree],
        at: usize,
        word: &str,
        scope: &Module,
        is_top: bool,
    ) -> usize {
        let line = tokens[at].span().start().line;
        match word {
            "use" if !is_punct(tokens.get(at + 1), '<') => self.read_use(tokens, at, scope),
            // `pub(in crate::a)` uses nothing.
            "pub" => {
                let restriction = group(tokens.get(at + 1), Delimiter::Parenthesis);
                at + 1
                    + usize::from(
                        restriction.is_some_and(|inner| ident(inner.first()).as_deref() == Some("in")),
                    )
            }
            "mod" => match (ident(tokens.get(at + 1)), group(tokens.get(at + 2), Delimiter::Brace)) {
                (Some(name), Some(body)) => {
                    self.walk(&body, &[&scope[..], &[name]].concat(), false);
                    at + 3
                }
                _ => at + 1,
            },
            _ if is_separator(tokens, at + 1) && !(at > 1 && is_separator(tokens, at - 2)) => {
                let (names, end) = path_at(tokens, at);
                self.paths.push(Path { names, line, scope: scope.clone() });
                end
            }
            _ => {
                let is_macro = word == "macro_rules" && is_punct(tokens.get(at + 1), '!');
                let name = ident(tokens.get(at + 1 + usize::from(is_macro)));
                if is_top && (is_macro || DEFINING.contains(&word)) {
                    self.items.extend(name);
                }
                at + 1
            }
        }
    }

    /// Reads a `use` and returns where it ends.
    fn read_use(&mut self, tokens: &[TokenTree], at: usize, scope: &Module) -> usize {
        let (before, rest) = tokens.split_at(at);
        let length = rest.iter().take_while(|token| !is_punct(Some(*token), ';')).count();
        let before = match before.split_last() {
            Some((TokenTree::Group(_), earlier)) => earlier.last(),
            _ => before.last(),
        };
        let is_public = ident(before).as_deref() == Some("pub");
        for (names, name, line) in use_tree(&rest[1..length], &[]) {
            let path = Path { names, line, scope: scope.clone() };
            self.uses.push(Use { path, name, is_public });
        }
        at + length
    }
}

/// The names that `::` joins from there on, and where they end.
fn path_at(tokens: &[TokenTree], start: usize) -> (Vec<String>, usize) {
    let mut names: Vec<_> = ident(tokens.get(start)).into_iter().collect();
    let mut at = start + 1;
    while is_separator(tokens, at) {
        let Some(name) = ident(tokens.get(at + 2)) else { break };
        names.push(name);
        at += 3;
    }
    (names, at)
}

/// Every path of a `use`, with the name it gives and its line.
fn use_tree(tokens: &[TokenTree], prefix: &[String]) -> Vec<(Vec<String>, Option<String>, usize)> {
    let Some(line) = tokens.first().map(|token| token.span().start().line) else { return Vec::new() };
    let (names, end) = path_at(tokens, 0);
    let mut names = [prefix, &names].concat();
    // A group, or `*`, comes first or behind a separator.
    let next = tokens.get(if is_separator(tokens, end) { end + 2 } else { 0 });
    if let Some(inner) = group(next, Delimiter::Brace) {
        let branches = inner.split(|token| is_punct(Some(token), ','));
        return branches.flat_map(|branch| use_tree(branch, &names)).collect();
    }
    if is_punct(next, '*') {
        return vec![(names, None, line)];
    }
    if names.len() > 1 && names.last().is_some_and(|name| name == "self") {
        names.pop();
    }
    let is_renamed = ident(tokens.get(end)).as_deref() == Some("as");
    let name = if is_renamed { ident(tokens.get(end + 1)) } else { names.last().cloned() };
    vec![(names, name, line)]
}
