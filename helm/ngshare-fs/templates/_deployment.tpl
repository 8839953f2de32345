{{/* Parts of the Deployment that follow from other values. */}}

{{/*
`rollingUpdate: null` removes what Kubernetes has filled in for a Deployment that was made without a strategy, as ngshare's chart makes it:
Kubernetes refuses the two together. Where Helm 4 (or Flux) applies on the server, nothing can remove what nobody has said. Then pods are
replaced one after the other, the old one before the new one, and that is said; the next upgrade can take it back.
*/}}
{{- define "ngshare.strategy" -}}
{{- $strategy := deepCopy .Values.strategy -}}
{{- if not $strategy -}}
{{- $strategy = dict "type" "Recreate" -}}
{{- if gt (int .Values.replicas) 1 -}}
{{- $strategy = dict "type" "RollingUpdate" "rollingUpdate" (dict "maxUnavailable" 0 "maxSurge" 1) -}}
{{- end -}}
{{- end -}}
{{- if eq (get $strategy "type") "Recreate" -}}
{{- $_ := set $strategy "rollingUpdate" nil -}}
{{- if include "ngshare.hasUnsaidRollingUpdate" . -}}
{{- $strategy = dict "type" "RollingUpdate" "rollingUpdate" (dict "maxUnavailable" 1 "maxSurge" 0) -}}
{{- end -}}
{{- end -}}
{{- toYaml $strategy -}}
{{- end -}}

{{/* Whether the Deployment that is there is applied on the server, and rolls because Kubernetes has filled that in: "true" or nothing. */}}
{{- define "ngshare.hasUnsaidRollingUpdate" -}}
{{- $live := lookup "apps/v1" "Deployment" .Release.Namespace (include "ngshare.fullname" .) -}}
{{- if $live -}}
{{- $isApplied := false -}}
{{- $isSaid := false -}}
{{- range $live.metadata.managedFields -}}
{{- if eq .operation "Apply" -}}
{{- $isApplied = true -}}
{{- if dig "f:spec" "f:strategy" "f:rollingUpdate" "" (.fieldsV1 | default dict) }}{{ $isSaid = true }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if and (dig "strategy" "rollingUpdate" "" $live.spec) $isApplied (not $isSaid) -}}true{{- end -}}
{{- end -}}
{{- end -}}

{{/* A probe as the chart has it with the user's over it: `(list CHART'S USER'S)`. Another way of asking takes the place of ours. */}}
{{- define "ngshare.probe" -}}
{{- $chart := index . 0 -}}
{{- $user := index . 1 | default dict -}}
{{- if or (hasKey $user "exec") (hasKey $user "tcpSocket") (hasKey $user "grpc") -}}
{{- $_ := unset $chart "httpGet" -}}
{{- end -}}
{{- mergeOverwrite $chart (deepCopy $user) | toYaml -}}
{{- end -}}

{{- define "ngshare.probes" -}}
startupProbe:
  {{- $asksReady := dict "path" "/readyz" "port" "http" }}
  {{- $startup := dict "httpGet" $asksReady "periodSeconds" 2 "timeoutSeconds" 5 "failureThreshold" 90 }}
  {{- include "ngshare.probe" (list $startup .Values.startupProbe) | nindent 2 }}
livenessProbe:
  {{- $asksHealthy := dict "path" "/healthz" "port" "http" }}
  {{- $liveness := dict "httpGet" $asksHealthy "periodSeconds" 10 "timeoutSeconds" 5 "failureThreshold" 3 }}
  {{- /* A server that hangs does not end by itself: without a time of its own, it would be killed only after the pod's 90 s. */}}
  {{- if semverCompare ">=1.22.0-0" .Capabilities.KubeVersion.Version }}
  {{- $_ := set $liveness "terminationGracePeriodSeconds" 15 }}
  {{- end }}
  {{- include "ngshare.probe" (list $liveness .Values.livenessProbe) | nindent 2 }}
readinessProbe:
  {{- /* One server goes on reading where its volume cannot be written; with others beside it, they are the better ones to ask. */}}
  {{- $asks := dict "path" (ternary "/readyz" "/healthz" (gt (int .Values.replicas) 1)) "port" "http" }}
  {{- $readiness := dict "httpGet" $asks "periodSeconds" 5 "timeoutSeconds" 5 "failureThreshold" 2 }}
  {{- include "ngshare.probe" (list $readiness .Values.readinessProbe) | nindent 2 }}
{{- end -}}

{{- define "ngshare.topologySpread" -}}
{{- if .Values.topologySpreadConstraints -}}
topologySpreadConstraints:
  {{- toYaml .Values.topologySpreadConstraints | nindent 2 }}
{{- else if gt (int .Values.replicas) 1 -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "ngshare.selectorLabels" . | nindent 8 }}
{{- end -}}
{{- end -}}
