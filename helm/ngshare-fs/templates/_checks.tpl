{{/* What values.schema.json cannot tell: values that do not go together. Each error says what to do. */}}

{{/*
ngshare's image would take our arguments for a mistake, and be restarted for ever; it may have been mirrored into another registry. And our
image has not its tags: Helm takes a tag that was set for ngshare's chart on to this one.
*/}}
{{- define "ngshare.checkImage" -}}
{{- if eq (base .Values.image.repository) "ngshare" -}}
{{ printf "image.repository is %s, which is the program ngshare and not this one: name the image that image/Dockerfile makes, which is called ngshare-fs, and leave out the image.tag of the old one" .Values.image.repository }}{{ "\n" }}
{{- else if regexMatch "[:@]" (base .Values.image.repository) -}}
{{ printf "image.repository is %s, with a tag or a digest in it: put these into image.tag or image.digest" .Values.image.repository }}{{ "\n" }}
{{- else if .Values.image.tag -}}
{{- $live := lookup "apps/v1" "Deployment" .Release.Namespace (include "ngshare.fullname" .) -}}
{{- range dig "spec" "template" "spec" "containers" list $live -}}
{{- if regexMatch (printf "(^|/)ngshare:%s$" (regexQuoteMeta $.Values.image.tag)) .image -}}
{{ printf "image.tag is %s, that of the program ngshare, which has run here until now (%s): leave it out" $.Values.image.tag .image }}{{ "\n" }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A Service's name, and all objects have it, is stricter than a release's. */}}
{{- define "ngshare.checkName" -}}
{{- $name := include "ngshare.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{ printf "%s cannot be a Service's name, which has small letters, digits and hyphens and begins with a letter: set fullnameOverride" $name }}{{ "\n" }}
{{- end -}}
{{- end -}}

{{- define "ngshare.checkReplicas" -}}
{{- if gt (int .Values.replicas) 1 -}}
{{- if not .Values.persistence.enabled -}}
{{ printf "replicas is %d, and persistence.enabled is false: each pod would have an exchange of its own. Set replicas: 1, or persistence.enabled: true with persistence.accessModes: [ReadWriteMany]" (int .Values.replicas) }}{{ "\n" }}
{{- else if not (include "ngshare.isShared" .) -}}
{{- $modes := join ", " .Values.persistence.accessModes -}}
{{- if .Values.persistence.existingClaim -}}
{{ printf "replicas is %d, and persistence.accessModes is [%s], with which one node at a time has the volume. Set replicas: 1; or, if the claim %s has ReadWriteMany, persistence.accessModes: [ReadWriteMany]" (int .Values.replicas) $modes (include "ngshare.claimName" .) }}{{ "\n" }}
{{- else -}}
{{ printf "replicas is %d, and persistence.accessModes is [%s], with which one node at a time has the volume. Set replicas: 1; or persistence.accessModes: [ReadWriteMany], with a persistence.storageClass that can do that" (int .Values.replicas) $modes }}{{ "\n" }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "ngshare.checkToken" -}}
{{- if not (include "ngshare.isStandalone" .) -}}
{{- $token := .Values.hub.token -}}
{{- if $token.value -}}
{{- if or (and $token.existingSecret (ne $token.existingSecret "hub")) $token.key -}}
{{ "hub.token.value and hub.token.existingSecret (or .key) are both set: leave out value, and the token is read from that Secret; or leave out the other two" }}{{ "\n" }}
{{- end -}}
{{- if not (regexMatch "^[!-~]+$" $token.value) -}}
{{ "hub.token.value holds characters that no token has, such as blanks or line ends: `openssl rand -hex 32` makes one" }}{{ "\n" }}
{{- end -}}
{{- else if not $token.existingSecret -}}
{{ "hub.token.existingSecret is empty, and so is hub.token.value: name the Secret with the token, which is `hub` beside a hub of zero-to-jupyterhub" }}{{ "\n" }}
{{- else if and (include "ngshare.otherNamespace" .) (eq $token.existingSecret "hub") -}}
{{ printf "the hub is in the namespace %s, and its Secret cannot be read from the namespace %s: put the token into a Secret here and name it in hub.token.existingSecret and hub.token.key, or set hub.token.value; the hub's values have the same as hub.services.%s.apiToken" .Values.hub.namespace .Release.Namespace (include "ngshare.serviceName" .) }}{{ "\n" }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The NetworkPolicy and the token's Secret follow from the namespace, not from the address. */}}
{{- define "ngshare.checkNamespace" -}}
{{- $here := include "ngshare.apiNamespace" . -}}
{{- if and $here (ne $here (.Values.hub.namespace | default .Release.Namespace)) -}}
{{ printf "hub.apiUrl names the namespace %s: set hub.namespace: %s as well, for the NetworkPolicy lets the server out to the hub there" $here $here }}{{ "\n" }}
{{- end -}}
{{- end -}}

{{/* The server refuses such a path, and would be started again and again. */}}
{{- define "ngshare.checkPrefix" -}}
{{- $prefix := include "ngshare.prefix" . -}}
{{- $folders := splitList "/" $prefix -}}
{{- if or (contains "//" $prefix) (has "." $folders) (has ".." $folders) -}}
{{ printf "hub.baseUrl and hub.serviceName make the path %s: it may not have two slashes in a row, nor . or .. between slashes" $prefix }}{{ "\n" }}
{{- end -}}
{{- end -}}

{{/* To Kubernetes, 10 are ten bytes, and 500m is half of one. */}}
{{- define "ngshare.checkSizes" -}}
{{- $sizes := dict "persistence.size" .Values.persistence.size -}}
{{- range $kind := list "requests" "limits" -}}
{{- $_ := set $sizes (printf "resources.%s.memory" $kind) (get (get $.Values.resources $kind | default dict) "memory") -}}
{{- end -}}
{{- range $value, $size := $sizes -}}
{{- $text := ternary (printf "%.0f" (float64 (ternary $size 0 (kindIs "float64" $size)))) (toString $size) (kindIs "float64" $size) -}}
{{- if regexMatch "^([0-9]{1,6}|[0-9.]+m)$" $text -}}
{{ printf "%s is %s, which is a number of bytes: add a unit, such as Mi or Gi" $value $text }}{{ "\n" }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Options that the chart sets itself, for other objects depend on them. */}}
{{- define "ngshare.checkConfig" -}}
{{- $instead := dict
  "data" "the volume is mounted at /srv/ngshare, and persistence says which"
  "host" "it listens on all addresses of its pod"
  "port" "it listens on 8080 in its pod; service.port is that of the Service"
  "prefix" "it follows from hub.baseUrl and hub.serviceName"
  "admins" "they go into the value admins"
  "hub-api-url" "it goes into the value hub.apiUrl"
  "hub-url" "it goes into the value hub.publicUrl"
  "hub-token-file" "hub.token says where the token is"
-}}
{{- range $option, $reason := $instead -}}
{{- if hasKey $.Values.config $option -}}
{{ printf "config.%s is set by the chart: leave it out; %s" $option $reason }}{{ "\n" }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Ten more, for a server that hangs in a file system gives up ten seconds after it should have ended. */}}
{{- define "ngshare.checkEnd" -}}
{{- $drain := int (get .Values.config "drain-seconds" | default 60) -}}
{{- $needed := add $drain .Values.preStopSeconds 10 -}}
{{- if gt $needed (int64 .Values.terminationGracePeriodSeconds) -}}
{{ printf "terminationGracePeriodSeconds is %d, and a stop may take %d: preStopSeconds, config.drain-seconds and 10 more. Requests under way would be cut off: set it to %d or more" (int .Values.terminationGracePeriodSeconds) $needed $needed }}{{ "\n" }}
{{- end -}}
{{- end -}}

{{/* What of a claim cannot be changed any more: Kubernetes says it in forty lines. Helm forgets values that are not given again. */}}
{{- define "ngshare.checkClaim" -}}
{{- if and .Values.persistence.enabled (not .Values.persistence.existingClaim) -}}
{{- $name := include "ngshare.claimName" . -}}
{{- $claim := lookup "v1" "PersistentVolumeClaim" .Release.Namespace $name -}}
{{- if $claim -}}
{{- $else := "that cannot be changed. Set it to what it is; or make another claim, copy the files, and name it in persistence.existingClaim" -}}
{{- $class := get $claim.spec "storageClassName" -}}
{{- $wanted := .Values.persistence.storageClass -}}
{{- if kindIs "invalid" $wanted -}}
{{- if include "ngshare.classWasGiven" $claim -}}
{{ printf "persistence.storageClass is not set, and the claim %s has been given %q: %s" $name $class $else }}{{ "\n" }}
{{- end -}}
{{- else if ne $wanted $class -}}
{{ printf "persistence.storageClass is %q, and the claim %s has %q: %s" $wanted $name $class $else }}{{ "\n" }}
{{- end -}}
{{- $modes := join ", " $claim.spec.accessModes -}}
{{- if ne (join ", " .Values.persistence.accessModes) $modes -}}
{{ printf "persistence.accessModes is [%s], and the claim %s has [%s]: %s" (join ", " .Values.persistence.accessModes) $name $modes $else }}{{ "\n" }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether a claim's storage class was asked for, rather than the cluster's default: "true" or nothing. */}}
{{- define "ngshare.classWasGiven" -}}
{{- $wasGiven := false -}}
{{- range .metadata.managedFields -}}
{{- if hasKey (dig "f:spec" dict (.fieldsV1 | default dict)) "f:storageClassName" }}{{ $wasGiven = true }}{{ end -}}
{{- end -}}
{{- if and $wasGiven .spec.storageClassName -}}true{{- end -}}
{{- end -}}

{{/* Labels by which a selector finds the server's pods. */}}
{{- define "ngshare.checkLabels" -}}
{{- range $value, $labels := dict "labels" .Values.labels "podLabels" .Values.podLabels "service.labels" .Values.service.labels "persistence.labels" .Values.persistence.labels -}}
{{- range $name := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "hub.jupyter.org/network-access-hub" -}}
{{- if hasKey $labels $name -}}
{{ printf "%s has the label %s, by which the server's pods are found: leave it out, or see nameOverride" $value $name }}{{ "\n" }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "ngshare.checkSubPath" -}}
{{- with .Values.persistence.subPath -}}
{{- if or (hasPrefix "/" .) (has ".." (splitList "/" .)) -}}
{{ printf "persistence.subPath is %s: name a folder within the volume, without a slash before it and without .." . }}{{ "\n" }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "ngshare.checkBudget" -}}
{{- $budget := .Values.podDisruptionBudget -}}
{{- if ne (toString $budget.enabled) "false" -}}
{{- $isSet := list (not (kindIs "invalid" $budget.maxUnavailable)) (not (kindIs "invalid" $budget.minAvailable)) -}}
{{- if not (has false $isSet) -}}
{{ "podDisruptionBudget.maxUnavailable and .minAvailable are both set, and Kubernetes takes one of them: add `maxUnavailable: null`, or leave out minAvailable" }}{{ "\n" }}
{{- else if not (has true $isSet) -}}
{{ "podDisruptionBudget.maxUnavailable and .minAvailable are both null: set one of them, or podDisruptionBudget.enabled: false" }}{{ "\n" }}
{{- end -}}
{{- end -}}
{{- end -}}
