/** The log agent: which services began to log, or ceased to log, what belongs to their requests. */
import type { Agent } from './agent.ts';
import { noteCodePathChanges } from './note-code-path-changes.ts';
import { openNotebook, voteByFindings } from './post-findings.ts';

export const logAgent: Agent = {
  name: 'log-agent',
  signal: 'logs',
  mission: 'looks for log lines that appeared, multiplied or vanished in the requests of a service',
  investigate: async (task, context) => {
    const notebook = openNotebook(logAgent, task, context);
    await noteCodePathChanges(notebook, task, 'log lines');
    return notebook.answer();
  },
  vote: (ballot) => voteByFindings('log-agent', ballot),
};
