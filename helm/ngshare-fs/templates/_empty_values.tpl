{{/* Keys that are there without a value, as `labels:` with nothing but comments below it: Helm then takes the chart's default away. */}}

{{/*
What has to have a value. Where nearly everything is missing, it was --reuse-values: Helm then takes the defaults of the chart before, such
as ngshare's, in place of this one's.
*/}}
{{- define "ngshare.missing" -}}
{{- $missing := list -}}
{{- range list "replicas" "hub" "hub.token" "persistence" "persistence.enabled" "persistence.size" "persistence.accessModes" "persistence.keep" "image" "image.repository" "service" "service.port" "service.type" "networkPolicy" "networkPolicy.enabled" "podDisruptionBudget" "serviceAccount" "serviceAccount.create" "terminationGracePeriodSeconds" -}}
{{- $path := splitList "." . -}}
{{- $section := ternary $.Values (get $.Values (first $path)) (eq (len $path) 1) -}}
{{- if kindIs "map" $section -}}
{{- if kindIs "invalid" (index $section (last $path)) }}{{ $missing = append $missing . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if and (has "hub" $missing) (has "persistence" $missing) -}}
{{ printf "%s: missing. `--reuse-values` brings the defaults of the chart before, not those of this one. Upgrade without it: where you give no values, Helm takes on those that you have set yourself; where you give some, say --reset-then-reuse-values" (join ", " $missing) }}{{ "\n" }}
{{- else if $missing -}}
{{ printf "%s: empty. An empty key takes the chart's default away: leave out what you do not set" (join ", " $missing) }}{{ "\n" }}
{{- end -}}
{{- end -}}

{{/* Maps and lists that may be empty, so that no template has to ask whether they are there. */}}
{{- define "ngshare.fillIn" -}}
{{- range list "config" "strategy" "resources" "podSecurityContext" "securityContext" "labels" "podLabels" -}}
{{- if kindIs "invalid" (index $.Values .) }}{{ $_ := set $.Values . dict }}{{ end -}}
{{- end -}}
{{- if kindIs "invalid" .Values.extraEnv }}{{ $_ := set .Values "extraEnv" list }}{{ end -}}
{{- range list .Values.persistence .Values.service -}}
{{- if kindIs "invalid" .labels }}{{ $_ := set . "labels" dict }}{{ end -}}
{{- if kindIs "invalid" .annotations }}{{ $_ := set . "annotations" dict }}{{ end -}}
{{- end -}}
{{- end -}}
