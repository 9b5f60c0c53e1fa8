import t from 'tap';
import { CLAUSES } from './clauses/registry.ts';
import { PROOFS, unproved } from './selfproof.ts';

for (const proof of PROOFS)
  t.test(`every MUST of ${proof.profile.name} has a mutant that breaks it`, async (t) => {
    t.same(unproved(proof), []);
    for (const { name, clause } of proof.mutants) {
      t.ok(CLAUSES.has(clause), `${name}: ${clause}`);
      t.ok(
        proof.profile.cases.some((item) => item.clause === clause),
        `${name}: a case judges ${clause}`,
      );
    }
  });
