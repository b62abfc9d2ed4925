/** The four kinds of telemetry that Inquest takes in, and names shared by everything that reads them. */
import { z } from 'zod';

export const signalSchema = z.enum(['metrics', 'logs', 'traces', 'changes']);
export type Signal = z.infer<typeof signalSchema>;

/** The jury: one agent for each signal. */
export const agentNameSchema = z.enum(['metrics-agent', 'log-agent', 'trace-agent', 'deploy-agent']);
export type AgentName = z.infer<typeof agentNameSchema>;
export const AGENT_NAMES = agentNameSchema.options;
