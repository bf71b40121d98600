CREATE INDEX `api_tokens_person` ON `api_tokens` (`created_by`);--> statement-breakpoint
CREATE INDEX `erasures_person` ON `erasures` (`user_id`);--> statement-breakpoint
CREATE INDEX `flows_person` ON `flows` (`created_by`);--> statement-breakpoint
CREATE INDEX `mail_outbox_person` ON `mail_outbox` (`user_id`);--> statement-breakpoint
CREATE INDEX `phones_person` ON `phones` (`created_by`);--> statement-breakpoint
CREATE INDEX `policy_notices_person` ON `policy_notices` (`user_id`);--> statement-breakpoint
CREATE INDEX `recordings_team` ON `recordings` (`team_id`);--> statement-breakpoint
CREATE INDEX `rules_person` ON `rules` (`saved_by`);--> statement-breakpoint
CREATE INDEX `runs_person` ON `runs` (`created_by`);--> statement-breakpoint
CREATE INDEX `secret_grants_person` ON `secret_grants` (`granted_by`);--> statement-breakpoint
CREATE INDEX `secrets_person` ON `secrets` (`created_by`);--> statement-breakpoint
CREATE INDEX `sessions_team` ON `sessions` (`team_id`);--> statement-breakpoint
CREATE INDEX `suites_person` ON `suites` (`created_by`);--> statement-breakpoint
CREATE INDEX `team_invitations_inviter` ON `team_invitations` (`invited_by`);--> statement-breakpoint
CREATE INDEX `team_invitations_accepter` ON `team_invitations` (`accepted_by`);--> statement-breakpoint
CREATE INDEX `webhooks_person` ON `webhooks` (`created_by`);--> statement-breakpoint
CREATE INDEX `workspace_files_person` ON `workspace_files` (`created_by`);