{{/* Values of ngshare's own chart, from which this one takes over. */}}

{{/*
Moves what means the same here to its new place, and remembers it for NOTES.txt. Each line: the old key, the new one, the new one's default.
Empty values are ngshare's defaults, and say nothing.
*/}}
{{- define "ngshare.takeOldValues" -}}
{{- include "ngshare.oldProblems" . -}}
{{- $moves := list
  (list "image.imagePullSecrets" "image.pullSecrets" list)
  (list "deployment.replicaCount" "replicas" 1)
  (list "deployment.strategy" "strategy" dict)
  (list "deployment.port" "service.port" 8080)
  (list "deployment.fsGroup" "podSecurityContext.fsGroup" 65532)
  (list "deployment.resources" "resources" (dict "requests" (dict "cpu" "100m" "memory" "128Mi") "limits" (dict "memory" "512Mi")))
  (list "deployment.nodeSelector" "nodeSelector" dict)
  (list "deployment.tolerations" "tolerations" list)
  (list "deployment.affinity" "affinity" dict)
  (list "deployment.initContainers" "initContainers" list)
  (list "ngshare.admins" "admins" list)
  (list "ngshare.hub_api_url" "hub.apiUrl" "")
  (list "ngshare.hub_base_url" "hub.baseUrl" "/")
  (list "ngshare.hub_api_token" "hub.token.value" "")
  (list "ngshare.oauth_client_id" "config.hub-client-id" "")
  (list "ngshare.debug" "config.debug" "")
  (list "pvc.storage" "persistence.size" "10Gi")
  (list "pvc.annotations" "persistence.annotations" dict)
  (list "pvc.storageClassName" "persistence.storageClass" "")
  (list "pvc.accessModes" "persistence.accessModes" (list "ReadWriteOnce"))
-}}
{{- $moved := list -}}
{{- range $moves -}}
{{- $old := splitList "." (index . 0) -}}
{{- $value := get (get $.Values (first $old) | default dict) (last $old) -}}
{{- if $value -}}
{{- $new := splitList "." (index . 1) -}}
{{- $place := $.Values -}}
{{- range initial $new }}{{ $place = get $place . }}{{ end -}}
{{- $there := get $place (last $new) -}}
{{- if not (has (toJson $there) (list (toJson (index . 2)) (toJson $value) "null")) -}}
{{ printf "%s and %s are both set, and mean the same: leave out %s, its name in ngshare's chart" (index . 0) (index . 1) (index . 0) }}{{ "\n" }}
{{- end -}}
{{- $_ := set $place (last $new) $value -}}
{{- $moved = append $moved (printf "%s is now %s" (index . 0) (index . 1)) -}}
{{- end -}}
{{- end -}}
{{- with get (.Values.ngshare | default dict) "env" -}}
{{- range $name, $value := . -}}
{{- /* Helm reads whole numbers as floating-point ones, and would write 268435456 as 2.68435456e+08. */}}
{{- $isWhole := and (kindIs "float64" $value) (eq (toString $value) (toString (float64 (int64 $value)))) -}}
{{- $text := ternary (int64 $value | toString) (toString $value) $isWhole -}}
{{- $_ := set $.Values "extraEnv" (append $.Values.extraEnv (dict "name" $name "value" $text)) -}}
{{- end -}}
{{- $moved = append $moved "ngshare.env is now extraEnv, a list" -}}
{{- end -}}
{{- if get (.Values.deployment | default dict) "selectorLabels" -}}
{{- $moved = append $moved "deployment.selectorLabels did nothing in ngshare's chart, and does nothing here" -}}
{{- end -}}
{{- $_ := set .Values "moved" $moved -}}
{{- end -}}

{{/* What cannot mean the same: the error names what to do. */}}
{{- define "ngshare.oldProblems" -}}
{{- if get (.Values.ngshare | default dict) "args" -}}
{{ "ngshare.args are arguments of ngshare's program, which this one does not have: leave them out. This program's options go into config, or into extraArgs" }}{{ "\n" }}
{{- end -}}
{{- if get (.Values.pvc | default dict) "selector" -}}
{{ "pvc.selector chose the volume of ngshare, which stays with its old claim: leave it out, or say with persistence.selector which volume the new claim may have" }}{{ "\n" }}
{{- end -}}
{{- range get (.Values.deployment | default dict) "initContainers" | default list -}}
{{- range .volumeMounts | default list -}}
{{- if eq .name (printf "%s-pvc" (include "ngshare.name" $)) -}}
{{ printf "deployment.initContainers mount the volume %q of ngshare's chart: leave them out, or put them into initContainers, where the volume is called \"data\"" .name }}{{ "\n" }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
