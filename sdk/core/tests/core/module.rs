//! A committed module in an interpreter, beside the native crate.

use std::path::Path;

use serde_json::{Value, json};
use wasmi::{Engine, Linker, Memory, Store, TypedFunc};

/// Instance of a module.
pub struct Module {
    store: Store<()>,
    memory: Memory,
    allocate: TypedFunc<u32, u32>,
    call: TypedFunc<(u32, u32), u64>,
    release: TypedFunc<(u32, u32), ()>,
}

/// Executes the call in a frame, natively.
type Native = dyn FnMut(&[u8]) -> Vec<u8>;

/// Native crate and module, which are given the same calls.
pub struct Pair {
    native: Box<Native>,
    module: Module,
    /// Pair of a smaller module, which is given those of the calls that it has.
    smaller: Option<Box<Pair>>,
}

impl Module {
    /// Loads a module of `sdk/core` by its file name.
    pub fn load(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core").join(name);
        let engine = Engine::default();
        let module = wasmi::Module::new(&engine, std::fs::read(path).unwrap()).unwrap();
        assert_eq!(module.imports().count(), 0, "{name} has imports");
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).unwrap();
        Self {
            memory: instance.get_memory(&store, "memory").unwrap(),
            allocate: instance.get_typed_func(&store, "motif_allocate").unwrap(),
            call: instance.get_typed_func(&store, "motif_call").unwrap(),
            release: instance.get_typed_func(&store, "motif_release").unwrap(),
            store,
        }
    }

    /// Executes the call in a frame.
    pub fn call(&mut self, input: &[u8]) -> Vec<u8> {
        let length = input.len() as u32;
        let address = self.allocate.call(&mut self.store, length).unwrap();
        self.memory.write(&mut self.store, address as usize, input).unwrap();
        let packed = self.call.call(&mut self.store, (address, length)).unwrap();
        let (address, length) = ((packed >> 32) as u32, packed as u32);
        let mut output = vec![0; length as usize];
        self.memory.read(&self.store, address as usize, &mut output).unwrap();
        self.release.call(&mut self.store, (address, length)).unwrap();
        output
    }
}

impl Pair {
    /// Creates a pair; `name` is the module's file.
    pub fn new(name: &str, native: impl FnMut(&[u8]) -> Vec<u8> + 'static) -> Self {
        Self { native: Box::new(native), module: Module::load(name), smaller: None }
    }

    /// Makes the calls that a smaller module has of that pair too: their answers are the same.
    pub fn and(self, smaller: Self) -> Self {
        Self { smaller: Some(Box::new(smaller)), ..self }
    }

    /// Makes a call of both, and returns the answer, which is the same.
    pub fn call_with(&mut self, name: &str, mut arguments: Value, raw: &[u8]) -> (Value, Vec<u8>) {
        arguments["call"] = name.into();
        let input = motif_frame::frame(&arguments.to_string(), raw);
        let native = answer(&(self.native)(&input));
        let module = answer(&self.module.call(&input));
        assert_eq!(native, module, "{arguments}");
        if let Some(smaller) = &mut self.smaller {
            let answer = smaller.call_with(name, arguments.clone(), raw);
            let error = &answer.0["error"];
            let is_unknown =
                error["message"].as_str().is_some_and(|text| text.starts_with("unknown call"));
            // It lists its own calls, and reads two kinds of accounts.
            let kind = native.0["ok"]["kind"].as_str();
            let is_other = !matches!(kind, Some("channel" | "operator")) && !error.is_null();
            let is_own = name == "version" || (name == "account.decode" && is_other);
            assert!(
                is_unknown || is_own || answer == native,
                "{arguments}: {answer:?}, {native:?}"
            );
        }
        native
    }

    /// Makes a call without raw bytes; returns the JSON.
    pub fn call(&mut self, name: &str, arguments: Value) -> Value {
        self.call_with(name, arguments, &[]).0
    }

    /// Makes a call that succeeds; returns its result.
    pub fn ok(&mut self, name: &str, arguments: Value) -> Value {
        result(name, self.call(name, arguments))
    }

    /// As [`Pair::ok`], with raw bytes.
    pub fn ok_with(&mut self, name: &str, arguments: Value, raw: &[u8]) -> Value {
        result(name, self.call_with(name, arguments, raw).0)
    }

    /// Makes a call that fails; returns the type of its error.
    pub fn error(&mut self, name: &str, arguments: Value, raw: &[u8]) -> String {
        let answer = self.call_with(name, arguments, raw).0;
        let message = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer}"));
        assert!(!message.is_empty());
        answer["error"]["type"].as_str().unwrap().to_owned()
    }
}

fn answer(frame: &[u8]) -> (Value, Vec<u8>) {
    let (json, raw) = motif_frame::read(frame).unwrap();
    (serde_json::from_str(json).unwrap(), raw.to_vec())
}

fn result(name: &str, mut answer: Value) -> Value {
    assert_eq!(answer["error"], json!(null), "{name}");
    answer["ok"].take()
}
