/** The search attributes that every app upserts. All are of type Keyword. */
export const everyAppUpserts = ['Status', 'StartedBy'] as const;

/** Those of all apps together: what a server of this repository has. A workflow that upserts another one hangs, without a word. */
export const searchAttributes = [...everyAppUpserts, 'Plan'] as const;
