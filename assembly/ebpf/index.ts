// The interpreter of bytecode, a module of its own: who runs no bytecode does not load it. It works on the memory of a host.
export { run } from "./interpret";
