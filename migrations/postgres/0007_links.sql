CREATE INDEX "api_tokens_person" ON "api_tokens" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "erasures_person" ON "erasures" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "flows_person" ON "flows" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "mail_outbox_person" ON "mail_outbox" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "phones_person" ON "phones" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "policy_notices_person" ON "policy_notices" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "recordings_team" ON "recordings" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "rules_person" ON "rules" USING btree ("saved_by");--> statement-breakpoint
CREATE INDEX "runs_person" ON "runs" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "secret_grants_person" ON "secret_grants" USING btree ("granted_by");--> statement-breakpoint
CREATE INDEX "secrets_person" ON "secrets" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "sessions_team" ON "sessions" USING btree ("team_id");--> statement-breakpoint
CREATE INDEX "suites_person" ON "suites" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "team_invitations_inviter" ON "team_invitations" USING btree ("invited_by");--> statement-breakpoint
CREATE INDEX "team_invitations_accepter" ON "team_invitations" USING btree ("accepted_by");--> statement-breakpoint
CREATE INDEX "webhooks_person" ON "webhooks" USING btree ("created_by");--> statement-breakpoint
CREATE INDEX "workspace_files_person" ON "workspace_files" USING btree ("created_by");