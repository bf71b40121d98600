DROP INDEX "data_requests_email";--> statement-breakpoint
DROP INDEX "team_invitations_email";--> statement-breakpoint
DROP INDEX "users_email_live";--> statement-breakpoint
ALTER TABLE "data_requests" ADD COLUMN "email_index" text;--> statement-breakpoint
ALTER TABLE "mail_outbox" ADD COLUMN "recipient_index" text;--> statement-breakpoint
ALTER TABLE "support_requests" ADD COLUMN "email_index" text;--> statement-breakpoint
ALTER TABLE "team_invitations" ADD COLUMN "email_index" text;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "email_index" text;--> statement-breakpoint
CREATE INDEX "data_requests_email_index" ON "data_requests" USING btree ("email_index");--> statement-breakpoint
CREATE INDEX "team_invitations_email_index" ON "team_invitations" USING btree ("email_index");--> statement-breakpoint
CREATE UNIQUE INDEX "users_email_index_live" ON "users" USING btree ("email_index") WHERE "users"."deleted_at" is null;