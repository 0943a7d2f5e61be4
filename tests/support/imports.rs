//! Finds which file of `src` imports which other file, by parsing the sources.
//!
//! An imported name is followed through re-exports to the file that defines it. So a module that only
//! re-exports its files does not count as importing them.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Path, UseTree, Visibility};

use crate::sources::Source;

/// The names of a path, beginning at the root of the crate.
type Names = Vec<String>;

/// The imports of each file, by path. A file never imports itself.
pub(crate) type Imports = BTreeMap<String, BTreeSet<String>>;

/// Reads the imports of these files. Test modules are left out, because they may use everything.
pub(crate) fn imports(files: &[Source]) -> Imports {
    let mut modules: BTreeMap<Names, Module> = files.iter().map(module).collect();
    let for_tests: BTreeSet<_> = modules
        .values_mut()
        .flat_map(|module| std::mem::take(&mut module.for_tests))
        .collect();
    modules.retain(|names, _| !(1..=names.len()).any(|end| for_tests.contains(&names[..end])));
    let crate_ = Crate { modules };
    crate_
        .modules
        .iter()
        .map(|(names, module)| {
            let mut imported: BTreeSet<_> = module
                .mentioned
                .iter()
                .filter_map(|path| crate_.defined_in(path, 0))
                .collect();
            imported.remove(&crate_.modules[names].file);
            (module.file.clone(), imported)
        })
        .collect()
}

struct Crate {
    modules: BTreeMap<Names, Module>,
}

struct Module {
    file: String,
    /// The path behind a name that the file imports or re-exports.
    names: BTreeMap<String, Names>,
    /// Every path of this crate that the file uses, without re-exports.
    mentioned: Vec<Names>,
    /// The modules that have their own file and are compiled only for tests.
    for_tests: Vec<Names>,
}

impl Crate {
    /// The file that defines the item at this path; `None` if it is not in this crate.
    fn defined_in(&self, path: &[String], depth: usize) -> Option<String> {
        assert!(depth < 20, "a re-export leads to itself: {path:?}");
        let length = (0..=path.len())
            .rev()
            .find(|length| self.modules.contains_key(&path[..*length]))?;
        let module = &self.modules[&path[..length]];
        match path.get(length).and_then(|name| module.names.get(name)) {
            Some(elsewhere) => self.defined_in(elsewhere, depth + 1),
            None => Some(module.file.clone()),
        }
    }
}

fn module(source: &Source) -> (Names, Module) {
    let names = match source.path.as_str() {
        "src/lib.rs" => Names::new(),
        _ => source.modules().into_iter().map(str::to_owned).collect(),
    };
    let file = syn::parse_file(&source.text)
        .unwrap_or_else(|error| panic!("{} does not parse: {error}", source.path));
    let mut reader = Reader {
        children: file.items.iter().filter_map(child).collect(),
        module: names.clone(),
        names: BTreeMap::new(),
        reexported: BTreeSet::new(),
        mentioned: Vec::new(),
    };
    reader.visit_file(&file);
    let module = Module {
        file: source.path.clone(),
        names: reader.names,
        mentioned: reader.mentioned,
        for_tests: file
            .items
            .iter()
            .filter(|item| is_for_tests(attributes(item)))
            .filter_map(child)
            .map(|child| [&names[..], &[child]].concat())
            .collect(),
    };
    (names, module)
}

/// The name of the module, if the item declares one that has its own file.
fn child(item: &Item) -> Option<String> {
    if let Item::Mod(module) = item
        && module.content.is_none()
    {
        return Some(module.ident.to_string());
    }
    None
}

struct Reader {
    module: Names,
    children: BTreeSet<String>,
    names: BTreeMap<String, Names>,
    reexported: BTreeSet<String>,
    mentioned: Vec<Names>,
}

impl Reader {
    /// The path from the root of the crate; `None` for a path of another crate or a local name.
    fn absolute(&self, path: &[String]) -> Option<Names> {
        let (first, rest) = path.split_first()?;
        let mut names = match first.as_str() {
            "crate" => Names::new(),
            "self" => self.module.clone(),
            "super" => {
                let mut outer = self.module.clone();
                outer.pop();
                outer
            }
            child if self.children.contains(child) => {
                let mut names = self.module.clone();
                names.push(child.to_owned());
                names
            }
            _ => return None,
        };
        for name in rest {
            match name.as_str() {
                "super" => drop(names.pop()),
                "self" => {}
                name => names.push(name.to_owned()),
            }
        }
        Some(names)
    }

    fn import(&mut self, tree: &UseTree, mut path: Names, is_reexport: bool) {
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.import(&step.tree, path, is_reexport);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, path.clone(), is_reexport);
                }
            }
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.bring_in(&path, name.ident.to_string(), is_reexport);
            }
            UseTree::Rename(renamed) => {
                path.push(renamed.ident.to_string());
                self.bring_in(&path, renamed.rename.to_string(), is_reexport);
            }
            UseTree::Glob(_) => self.mentioned.extend(self.absolute(&path)),
        }
    }

    fn bring_in(&mut self, path: &[String], name: String, is_reexport: bool) {
        let Some(names) = self.absolute(path) else {
            return;
        };
        if is_reexport {
            self.reexported.insert(name.clone());
        } else {
            self.mentioned.push(names.clone());
        }
        self.names.insert(name, names);
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        self.import(&item.tree, Names::new(), is_reexport);
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {
        // The path in `pub(super)` limits visibility. It is not an import.
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let names: Names = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let is_reexported = names
            .first()
            .is_some_and(|name| self.reexported.contains(name));
        let names = match names.first().and_then(|name| self.names.get(name)) {
            Some(known) if is_reexported => Some(known.clone()),
            _ => self.absolute(&names),
        };
        self.mentioned.extend(names);
        visit::visit_path(self, path);
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "other items do not declare test modules, and syn may add kinds"
)]
fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        _ => &[],
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<Path>()
                .is_ok_and(|condition| condition.is_ident("test"))
    })
}
