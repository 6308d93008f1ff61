/**
 * Rules: what a program does with the entries that meet a condition.
 *
 * @module
 */
import { describe } from "../../arguments/mismatch.ts";
import { ACT_DELETE, ACT_STOP } from "../../constants.ts";
import { NodePart } from "./operands.ts";
import { checkScope, Part, type Scope } from "./scope.ts";
import type { BooleanNode, EffectNode, Statement } from "./tree.ts";

/** All bits that an action may have. */
const ACTIONS = ACT_DELETE | ACT_STOP;

/** Throws for what is no action. */
function checkAction(scope: Scope, path: string, action: unknown): asserts action is number {
  const expected = `expected ACT_KEEP (0), ACT_DELETE (1), ACT_STOP (2) or both of these, got ${describe(action)}`;
  if (typeof action !== "number") throw scope.wrongType(path, expected);
  if (!Number.isInteger(action) || (action & ~ACTIONS) !== 0) throw scope.outOfRange(path, expected);
}

/** An addition to a counter, made by {@link CounterExpression.add}; it happens where it stands in a rule. */
export class Effect extends Part {
  /** @internal */
  readonly node: EffectNode;

  override get label(): string {
    return `an effect on ${this.node.counter.path}`;
  }

  /** @internal */
  constructor(scope: Scope, size: number, node: EffectNode) {
    super(scope, size);
    this.node = node;
  }
}

/**
 * Rules in order: the first one whose condition an entry meets decides about it. Made by {@link BooleanExpression.then}.
 */
export class Rules extends Part {
  /** @internal */
  readonly statements: readonly Statement[];

  override get label(): string {
    return "a rule (condition.then())";
  }

  /** @internal */
  constructor(scope: Scope, size: number, statements: readonly Statement[]) {
    super(scope, size);
    scope.checkSize("then", size);
    this.statements = statements;
  }

  /**
   * What to do with the entries that meet none of the conditions: an action, or further rules.
   *
   * @param effects counters to add to, with an action
   * @throws TypeError for anything else; RangeError for an action with other bits
   */
  otherwise(next: number | Rules, ...effects: Effect[]): Rules {
    const { scope, size, statements } = this;
    checkScope(scope, () => "otherwise", this);
    if (next instanceof Rules) {
      checkScope(scope, () => "otherwise", next);
      if (effects.length > 0)
        throw scope.wrongType("otherwise", "expected no effects behind rules: they have their own");
      return scope.made(new Rules(scope, size + next.size, [...statements, ...next.statements]));
    }
    const last = rule(scope, "otherwise", undefined, next, effects);
    scope.use(last);
    return scope.made(new Rules(scope, size + last.size, [...statements, ...last.statements]));
  }
}

/** One rule. */
export function rule(
  scope: Scope,
  path: string,
  when: (NodePart & { readonly node: BooleanNode }) | undefined,
  action: unknown,
  effects: readonly unknown[],
): Rules {
  checkAction(scope, path, action);
  let size = (when?.size ?? 0) + 1;
  const nodes = effects.map((effect) => {
    if (!(effect instanceof Effect)) {
      const got = effect instanceof Part ? "another expression" : describe(effect);
      throw scope.wrongType(
        path,
        `expected effects such as counters.name.add(1) behind the action, got ${got}`,
      );
    }
    checkScope(scope, () => path, effect);
    size += effect.size;
    return effect.node;
  });
  return scope.made(new Rules(scope, size, [{ when: when?.node, effects: nodes, action }]));
}

/** The statements that a build function returned: rules, and effects that stand alone and happen to every entry that gets there. */
export function statementsOf(scope: Scope, built: unknown): Statement[] {
  const parts = Array.isArray(built) ? built : [built];
  const statements: Statement[] = [];
  let size = 0;
  for (const [index, part] of parts.entries()) {
    const path = Array.isArray(built) ? `rule ${index}` : "the function";
    if (!(part instanceof Rules || part instanceof Effect)) throw noRule(scope, path, part);
    checkScope(scope, () => path, part);
    size += part.size;
    if (part instanceof Rules) statements.push(...part.statements);
    else statements.push({ when: undefined, effects: [part.node], action: undefined });
  }
  scope.checkSize("the program", size);
  return statements;
}

function noRule(scope: Scope, path: string, part: unknown): TypeError {
  const expected = "expected rules such as condition.then(ACT_DELETE)";
  if (!(part instanceof Part)) return scope.wrongType(path, `${expected}, got ${describe(part)}`);
  const condition = part instanceof NodePart && !("type" in part.node);
  const got = condition ? "a condition without an action" : "an expression";
  return scope.wrongType(path, `${expected}, got ${got}`);
}
