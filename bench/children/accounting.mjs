import { createHost } from "../../dist/index.js";
import { accounting } from "../memory/accounting.mjs";
import { answer } from "./answer.mjs";

answer(({ seed, ...sizes }) => accounting(createHost({ seed }), sizes));
